namespace NetGo;

/// <summary>A thread as Linux sees it, whatever it waits for.</summary>
internal sealed unsafe class LinuxThreadClock : ThreadClock
{
    private readonly int _clockId;
    private readonly int _threadId;

    private LinuxThreadClock(int clockId, int threadId)
    {
        _clockId = clockId;
        _threadId = threadId;
    }

    public override int ThreadId => _threadId;

    public static LinuxThreadClock? TryCreate()
    {
        int clockId;
        return LinuxThreads.GetCpuClockId(LinuxThreads.CurrentPthread(), &clockId) == 0
            ? new LinuxThreadClock(clockId, LinuxThreads.CurrentThreadId())
            : null;
    }

    /// <summary>In nanoseconds.</summary>
    public override long CpuTime()
    {
        LinuxThreads.Timespec time;
        return LinuxThreads.ClockGetTime(_clockId, &time) == 0 ? time.Seconds * 1_000_000_000 + time.Nanoseconds : 0;
    }

    /// <summary>By proc(5), task/TID/stat, states S and D.</summary>
    public override bool IsAsleep()
    {
        Span<byte> path = stackalloc byte[64];
        "/proc/self/task/"u8.CopyTo(path);
        int length = 16;
        _threadId.TryFormat(path[length..], out int digits, provider: System.Globalization.CultureInfo.InvariantCulture);
        length += digits;
        "/stat\0"u8.CopyTo(path[length..]);
        byte* text = stackalloc byte[128];
        int descriptor;
        fixed (byte* p = path)
            descriptor = LinuxThreads.Open(p, 0);
        if (descriptor < 0)
            return false;
        nint n = LinuxThreads.Read(descriptor, text, 128);
        _ = LinuxThreads.Close(descriptor);
        // "pid (name) S ...": the name may hold anything, so the state is what follows the last parenthesis.
        ReadOnlySpan<byte> stat = new(text, (int)Math.Max(0, n));
        int end = stat.LastIndexOf(") "u8);
        return end >= 0 && end + 2 < stat.Length && stat[end + 2] is (byte)'S' or (byte)'D';
    }
}
