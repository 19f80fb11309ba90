using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NetGo;

/// <summary>The calls of Linux about threads. On other systems no method that makes one may run: a call without a GC transition
/// is looked up when its caller is compiled.</summary>
internal static unsafe partial class LinuxThreads
{
    // NR_CPUS of the largest kernels.
    private const int MaxCpus = 8192;

    /// <summary>A bit for each core.</summary>
    [InlineArray(MaxCpus / 64)]
    public struct CpuMask
    {
        private ulong _first;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "pthread_self")]
    public static partial nint CurrentPthread();

    [LibraryImport("libc", EntryPoint = "pthread_getcpuclockid")]
    public static partial int GetCpuClockId(nint thread, int* clockId);

    [LibraryImport("libc", EntryPoint = "gettid")]
    public static partial int CurrentThreadId();

    /// <summary>Has the calling thread run on these cores alone. False when none of them is there, or the process may use none.</summary>
    public static bool TryBind(ReadOnlySpan<int> cpus)
    {
        const int WordBits = 64;
        CpuMask mask = default;
        foreach (int cpu in cpus)
        {
            if (cpu < MaxCpus)
                mask[cpu / WordBits] |= 1ul << (cpu % WordBits);
        }
        return SetAffinity(0, (nuint)sizeof(CpuMask), &mask) == 0;
    }

    // 0 is the calling thread. To set it may wait until the thread has moved.
    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    public static partial int SetAffinity(int thread, nuint maskBytes, CpuMask* mask);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    public static partial int GetAffinity(int thread, nuint maskBytes, CpuMask* mask);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [SuppressGCTransition]
    public static partial int ClockGetTime(int clockId, Timespec* time);

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    public static partial int NanoSleep(Timespec* requested, Timespec* remaining);

    [LibraryImport("libc", EntryPoint = "prctl")]
    public static partial int ProcessControl(int option, nuint argument2, nuint argument3, nuint argument4, nuint argument5);

    [LibraryImport("libc", EntryPoint = "open")]
    public static partial int Open(byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "read")]
    public static partial nint Read(int descriptor, byte* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);
}
