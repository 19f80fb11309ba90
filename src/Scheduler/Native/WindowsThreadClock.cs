using Microsoft.Win32.SafeHandles;

namespace NetGo;

/// <summary>A thread as Windows counts its cycles. The number is brought up to date when the thread leaves its core, so it is
/// exact for one that sleeps. Nothing documented says cheaply what a thread waits for, hence <see cref="ThreadClock.IsAsleep"/> is
/// .NET's. Wine 8 counts no cycles.</summary>
internal sealed unsafe class WindowsThreadClock : ThreadClock
{
    // Closed by its finalizer: sysmon may still be looking when the thread ends.
    private readonly SafeWaitHandle _thread;

    private WindowsThreadClock(SafeWaitHandle thread) => _thread = thread;

    public override int ThreadId { get; } = (int)WindowsThreads.GetCurrentThreadId();

    public static WindowsThreadClock? TryCreate()
    {
        nint handle = WindowsThreads.OpenThread(
            WindowsThreads.THREAD_QUERY_LIMITED_INFORMATION, inheritHandle: 0, WindowsThreads.GetCurrentThreadId());
        return handle == 0 ? null : new WindowsThreadClock(new SafeWaitHandle(handle, ownsHandle: true));
    }

    /// <summary>In cycles.</summary>
    public override long CpuTime()
    {
        long cycles;
        return WindowsThreads.QueryThreadCycleTime(_thread, &cycles) != 0 ? cycles : 0;
    }
}
