using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NetGo;

/// <summary>The calls of Windows about threads and timers, with its constants.</summary>
internal static unsafe partial class WindowsThreads
{
    public const uint THREAD_QUERY_LIMITED_INFORMATION = 0x0800;
    public const uint CREATE_WAITABLE_TIMER_HIGH_RESOLUTION = 0x00000002;
    public const uint TIMER_ALL_ACCESS = 0x1F0003;

    [LibraryImport("kernel32")]
    public static partial uint GetCurrentThreadId();

    [LibraryImport("kernel32")]
    public static partial nint OpenThread(uint desiredAccess, int inheritHandle, uint threadId);

    [LibraryImport("kernel32")]
    public static partial int QueryThreadCycleTime(SafeWaitHandle thread, long* cycleTime);

    [LibraryImport("kernel32")]
    public static partial nint CreateWaitableTimerExW(nint timerAttributes, nint timerName, uint flags, uint desiredAccess);

    [LibraryImport("kernel32")]
    public static partial int SetWaitableTimer(
        SafeWaitHandle timer, long* dueTime, int period, nint completionRoutine, nint argument, int resume);
}
