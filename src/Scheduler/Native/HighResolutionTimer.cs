using Microsoft.Win32.SafeHandles;

namespace NetGo;

/// <summary>A timer of Windows that can be waited for and ends when it should; a wait with a time-out ends at the system's next
/// tick, up to 16 ms later. Go's runtime sleeps by the same timer. For one thread at a time.</summary>
internal sealed unsafe class HighResolutionTimer : WaitHandle
{
    private HighResolutionTimer(nint handle) => SafeWaitHandle = new SafeWaitHandle(handle, ownsHandle: true);

    /// <summary>Null where there is none: on systems other than Windows, and on Windows before 10, version 1803.</summary>
    public static HighResolutionTimer? TryCreate()
    {
        if (!OperatingSystem.IsWindows())
            return null;
        nint handle = WindowsThreads.CreateWaitableTimerExW(
            0, 0, WindowsThreads.CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, WindowsThreads.TIMER_ALL_ACCESS);
        return handle == 0 ? null : new HighResolutionTimer(handle);
    }

    /// <summary>Lets one wait end in so many nanoseconds, and no sooner: this is forgotten when it is set again.</summary>
    public void Set(long nanoseconds)
    {
        long dueTime = -Math.Max(1, (nanoseconds + 99) / 100); // in units of 100 ns; negative, hence from now
        if (WindowsThreads.SetWaitableTimer(SafeWaitHandle, &dueTime, 0, 0, 0, 0) == 0)
            throw new InvalidOperationException("SetWaitableTimer failed.");
    }
}
