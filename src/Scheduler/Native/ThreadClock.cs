namespace NetGo;

/// <summary>What is known of a thread's progress, for sysmon: how much it has run, and whether it sleeps. This much .NET itself
/// knows on any system: whether the thread is in Thread.Sleep, in a wait for another thread or for a lock. A thread that the system
/// made wait, in a read of a file for example, looks as if it ran; its processor goes by the time slice.</summary>
internal class ThreadClock
{
    private readonly Thread _thread = Thread.CurrentThread;

    protected ThreadClock()
    {
    }

    public static ThreadClock OfCallingThread()
    {
        ThreadClock? clock = null;
        if (OperatingSystem.IsLinux())
            clock = LinuxThreadClock.TryCreate();
        else if (OperatingSystem.IsWindows())
            clock = WindowsThreadClock.TryCreate();
        return clock ?? new ThreadClock();
    }

    /// <summary>The system's number of the thread; 0 where that is not known.</summary>
    public virtual int ThreadId => 0;

    /// <summary>How long the thread has used a core, in the system's own unit: the same number twice when it has not run
    /// in between. Always the same where the system does not tell: then <see cref="IsAsleep"/> alone decides.</summary>
    public virtual long CpuTime() => 0;

    /// <summary>Whether the thread waits for something other than a core.</summary>
    public virtual bool IsAsleep() => (_thread.ThreadState & ThreadState.WaitSleepJoin) != 0;
}
