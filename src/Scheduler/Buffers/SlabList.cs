namespace NetGo;

/// <summary>A list of slabs, linked through them. Guarded by the lock of what has it.</summary>
internal struct SlabList
{
    public Slab? First { get; private set; }

    public int Count { get; private set; }

    public void PushFront(Slab slab)
    {
        slab.Previous = null;
        slab.Next = First;
        if (First is { } first)
            first.Previous = slab;
        First = slab;
        Count++;
    }

    public void Remove(Slab slab)
    {
        if (slab.Previous is { } previous)
            previous.Next = slab.Next;
        else
            First = slab.Next;
        if (slab.Next is { } next)
            next.Previous = slab.Previous;
        slab.Next = slab.Previous = null;
        Count--;
    }
}
