namespace NetGo;

/// <summary>A one-shot timer on a processor's heap; Go's runtime <c>timer</c>. Subclassed by what waits, so that a timer
/// needs no delegate and no second object.</summary>
internal abstract class RuntimeTimer
{
    /// <summary>The heap that it is on or was last on; null before its first start.</summary>
    internal TimerHeap? Heap;

    /// <summary>Its place in the heap's array, -1 when it is not on the heap. Guarded by the heap's lock.</summary>
    internal int HeapIndex = -1;

    /// <summary>Runs on the machine that holds the processor, outside the heap's lock. Must not block nor throw.</summary>
    /// <param name="now">The scheduler's time in nanoseconds.</param>
    internal abstract void Fire(long now);
}
