using System.Diagnostics;
using System.Runtime.InteropServices;

namespace NetGo;

// A processor's local run queue: a ring of 256 goroutines with one producer (the machine that holds the processor) and
// many consumers (that machine and thieves), after Go's runqput, runqget and runqgrab.
//
//   head  next to take; advanced by compare-and-swap only, by the owner (one) or by a thief (half)
//   tail  next to fill; written by the owner only
//
//   owner put     read head (acquire), fill slot, write tail (release): a thief that sees the tail sees the slot
//   owner get     read slot, CAS head (full): fails when a thief was quicker, then looks again
//   thief grab    read head (acquire), tail (acquire), copy slots, CAS head (full): a failed CAS throws the copy away.
//                 A slot can be overwritten only after head passed it, and then the CAS fails.
//
// head and tail are free-running 32-bit counters; tail - head is the length. They lie on cache lines of their own,
// so that thieves looking at head do not slow the owner's writes to tail.
internal sealed class RunQueue
{
    public const int Capacity = 256;
    private const uint Mask = Capacity - 1;

    private readonly Goroutine?[] _slots = new Goroutine?[Capacity];
    private Goroutine[]? _overflowScratch;
    private Indices _indices;

    [StructLayout(LayoutKind.Explicit, Size = 192)]
    private struct Indices
    {
        [FieldOffset(64)] public uint Head;
        [FieldOffset(128)] public uint Tail;
    }

    /// <summary>The length as another thread may see it: a hint, except to the owner, to whom it is an upper bound.</summary>
    public int Count
    {
        get
        {
            uint head = Volatile.Read(ref _indices.Head);
            uint tail = Volatile.Read(ref _indices.Tail);
            uint length = tail - head;
            return length > Capacity ? 0 : (int)length;
        }
    }

    /// <summary>Owner only. False when the ring is full: see <see cref="TakeHalfForOverflow"/>.</summary>
    public bool TryPut(Goroutine g)
    {
        uint head = Volatile.Read(ref _indices.Head);
        uint tail = _indices.Tail;
        if (tail - head >= Capacity)
            return false;
        _slots[tail & Mask] = g;
        Volatile.Write(ref _indices.Tail, tail + 1);
        return true;
    }

    /// <summary>Owner only: takes the oldest.</summary>
    public Goroutine? TryGet()
    {
        while (true)
        {
            uint head = Volatile.Read(ref _indices.Head);
            if (head == _indices.Tail)
                return null;
            Goroutine g = _slots[head & Mask]!;
            if (Interlocked.CompareExchange(ref _indices.Head, head + 1, head) == head)
                return g;
        }
    }

    /// <summary>Owner only: moves the older half of a full ring to <paramref name="overflow"/>, which goes to the global
    /// queue. False when thieves made room in the meantime.</summary>
    public bool TakeHalfForOverflow(ref GoroutineQueue overflow)
    {
        uint head = Volatile.Read(ref _indices.Head);
        uint n = (_indices.Tail - head) / 2;
        if (n != Capacity / 2)
            return false;
        // The slots are read before the swap: after it a put may overwrite them. They are linked after it, when they are ours.
        Goroutine[] batch = _overflowScratch ??= new Goroutine[Capacity / 2];
        for (uint i = 0; i < n; i++)
            batch[i] = _slots[(head + i) & Mask]!;
        if (Interlocked.CompareExchange(ref _indices.Head, head + n, head) != head)
            return false;
        foreach (Goroutine g in batch)
            overflow.PushBack(g);
        return true;
    }

    /// <summary>Called by the owner of <paramref name="thief"/>, whose ring must be empty: takes half of this ring. Returns
    /// one of them to run at once, null when there was nothing; the rest are on the thief's ring.</summary>
    public Goroutine? StealHalfInto(RunQueue thief)
    {
        Debug.Assert(thief.Count == 0);
        uint thiefTail = thief._indices.Tail;
        while (true)
        {
            uint head = Volatile.Read(ref _indices.Head);
            uint tail = Volatile.Read(ref _indices.Tail);
            uint n = tail - head;
            n -= n / 2;
            if (n == 0)
                return null;
            if (n > Capacity / 2)
                continue; // head and tail were read at different times
            for (uint i = 0; i < n; i++)
                thief._slots[(thiefTail + i) & Mask] = _slots[(head + i) & Mask];
            if (Interlocked.CompareExchange(ref _indices.Head, head + n, head) != head)
                continue;
            n--;
            Goroutine last = thief._slots[(thiefTail + n) & Mask]!;
            Volatile.Write(ref thief._indices.Tail, thiefTail + n);
            return last;
        }
    }
}
