using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NetGo;

/// <summary>What the system knows of a thread's progress, for sysmon: its CPU time, and whether it sleeps in the kernel.
/// On systems other than Linux it knows neither yet: there a blocked thread is handed off by the time slice.</summary>
internal readonly unsafe partial struct ThreadClock
{
    private readonly int _clockId;
    private readonly int _threadId;

    private ThreadClock(int clockId, int threadId)
    {
        _clockId = clockId;
        _threadId = threadId;
    }

    public static ThreadClock OfCallingThread()
    {
        if (!OperatingSystem.IsLinux())
            return default;
        int clockId;
        return GetCpuClockId(CurrentPthread(), &clockId) == 0 ? new ThreadClock(clockId, CurrentThreadId()) : default;
    }

    /// <summary>Nanoseconds of CPU time that the thread has used; a new number at each call where the system does not
    /// tell.</summary>
    public long CpuTime() => _threadId == 0 ? Stopwatch.GetTimestamp() : CpuTimeOf(_clockId);

    // Apart, because a call that skips the GC transition is bound when the method that it is in is compiled: here, on Linux only.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CpuTimeOf(int clockId)
    {
        Timespec time;
        return ClockGetTime(clockId, &time) == 0 ? time.Seconds * 1_000_000_000 + time.Nanoseconds : Stopwatch.GetTimestamp();
    }

    /// <summary>Whether the thread waits in the kernel for something other than a core: proc(5), task/TID/stat, states S
    /// and D.</summary>
    public bool IsAsleep()
    {
        if (_threadId == 0)
            return false;
        Span<byte> path = stackalloc byte[64];
        "/proc/self/task/"u8.CopyTo(path);
        int length = 16;
        _threadId.TryFormat(path[length..], out int digits, provider: System.Globalization.CultureInfo.InvariantCulture);
        length += digits;
        "/stat\0"u8.CopyTo(path[length..]);
        byte* text = stackalloc byte[128];
        int descriptor;
        fixed (byte* p = path)
            descriptor = Open(p, 0);
        if (descriptor < 0)
            return false;
        nint n = Read(descriptor, text, 128);
        _ = Close(descriptor);
        // "pid (name) S ...": the name may hold anything, so the state is what follows the last parenthesis.
        ReadOnlySpan<byte> stat = new(text, (int)Math.Max(0, n));
        int end = stat.LastIndexOf(") "u8);
        return end >= 0 && end + 2 < stat.Length && stat[end + 2] is (byte)'S' or (byte)'D';
    }

    /// <summary>The system's monotonic clock, whatever clock the scheduler has.</summary>
    public static long MonotonicNow() => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));

    /// <summary>Makes the calling thread's sleeps end when they should: Linux may make them 50 us longer otherwise.</summary>
    public static void SleepPrecisely()
    {
        const int SetTimerSlack = 29;
        if (OperatingSystem.IsLinux())
            _ = ProcessControl(SetTimerSlack, 1, 0, 0, 0);
    }

    /// <summary>Sleeps for some nanoseconds: by nanosleep(2) on Linux, in whole milliseconds elsewhere.</summary>
    public static void Sleep(long nanoseconds)
    {
        if (!OperatingSystem.IsLinux())
        {
            Thread.Sleep((int)((nanoseconds + 999_999) / 1_000_000));
            return;
        }
        Timespec time = new() { Seconds = nanoseconds / 1_000_000_000, Nanoseconds = nanoseconds % 1_000_000_000 };
        _ = NanoSleep(&time, null);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "pthread_self")]
    private static partial nint CurrentPthread();

    [LibraryImport("libc", EntryPoint = "pthread_getcpuclockid")]
    private static partial int GetCpuClockId(nint thread, int* clockId);

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int CurrentThreadId();

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [SuppressGCTransition]
    private static partial int ClockGetTime(int clockId, Timespec* time);

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(Timespec* requested, Timespec* remaining);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ProcessControl(int option, nuint argument2, nuint argument3, nuint argument4, nuint argument5);

    [LibraryImport("libc", EntryPoint = "open")]
    private static partial int Open(byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int descriptor, byte* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
