namespace NetGo;

/// <summary>Sleeps of one thread that may be shorter than a millisecond, where the system can: by nanosleep(2) on Linux, by a
/// timer on Windows. In whole milliseconds elsewhere.</summary>
internal sealed unsafe class PreciseSleep : IDisposable
{
    private readonly HighResolutionTimer? _timer = HighResolutionTimer.TryCreate();

    /// <summary>For the calling thread.</summary>
    public PreciseSleep()
    {
        // Linux makes a thread's sleeps up to 50 us longer, unless it asks for less: PR_SET_TIMERSLACK.
        const int SetTimerSlack = 29;
        if (OperatingSystem.IsLinux())
            _ = LinuxThreads.ProcessControl(SetTimerSlack, 1, 0, 0, 0);
    }

    /// <summary>Sleeps for some nanoseconds.</summary>
    public void For(long nanoseconds)
    {
        if (OperatingSystem.IsLinux())
        {
            LinuxThreads.Timespec time = new() { Seconds = nanoseconds / 1_000_000_000, Nanoseconds = nanoseconds % 1_000_000_000 };
            _ = LinuxThreads.NanoSleep(&time, null);
        }
        else if (_timer is not null)
        {
            _timer.Set(nanoseconds);
            _timer.WaitOne();
        }
        else
        {
            Thread.Sleep((int)((nanoseconds + 999_999) / 1_000_000));
        }
    }

    public void Dispose() => _timer?.Dispose();
}
