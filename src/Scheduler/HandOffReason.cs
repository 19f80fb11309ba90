namespace NetGo;

/// <summary>Why a processor was taken from a machine and given to another.</summary>
public enum HandOffReason
{
    /// <summary>The thread slept in the kernel.</summary>
    Blocked,

    /// <summary>The thread was in <see cref="Go.Blocking(Action)"/>.</summary>
    Syscall,

    /// <summary>The goroutine had used up its time slice while others waited.</summary>
    TimeSlice,

    /// <summary>The number of processors was lowered.</summary>
    Retiring,
}
