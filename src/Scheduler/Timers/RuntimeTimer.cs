namespace NetGo;

/// <summary>A one-shot timer on a processor's heap; Go's runtime <c>timer</c>. Subclassed by what waits, so that a timer
/// needs no delegate and no second object. Its states are in TimerHeap.cs.</summary>
internal abstract class RuntimeTimer
{
    /// <summary>The heap that it is on or was last on; null before its first start.</summary>
    internal volatile TimerHeap? Heap;

    /// <summary>Its place in the heap's array, -1 when it is not on the heap. Guarded by the heap's lock.</summary>
    internal int HeapIndex = -1;

    /// <summary>Which start of its heap it was: of two timers for the same time the one that was started first fires first.
    /// Guarded by the heap's lock.</summary>
    internal long StartOrder;

    /// <summary>Runs on the machine that holds the processor, outside the heap's lock. Must not block nor throw. Called once for
    /// each start that no <see cref="TimerHeap.Stop"/> or <see cref="TimerHeap.Reset"/> has withdrawn; so a timer that was
    /// started again while it was about to fire has two calls to come, which may even overlap.</summary>
    /// <param name="now">The scheduler's time in nanoseconds.</param>
    internal abstract void Fire(long now);
}
