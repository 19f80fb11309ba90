namespace NetGo;

/// <summary>An intrusive FIFO list of goroutines, linked by <see cref="Goroutine.SchedLink"/>; Go's <c>gQueue</c>.
/// Not thread-safe. A goroutine is on at most one list at a time.</summary>
internal struct GoroutineQueue
{
    private Goroutine? _head;
    private Goroutine? _tail;

    public int Count { get; private set; }

    public void PushBack(Goroutine g)
    {
        g.SchedLink = null;
        if (_tail is null)
            _head = g;
        else
            _tail.SchedLink = g;
        _tail = g;
        Count++;
    }

    public void PushBackAll(ref GoroutineQueue other)
    {
        if (other._head is null)
            return;
        if (_tail is null)
            _head = other._head;
        else
            _tail.SchedLink = other._head;
        _tail = other._tail;
        Count += other.Count;
        other = default;
    }

    public Goroutine? PopFront()
    {
        Goroutine? g = _head;
        if (g is null)
            return null;
        _head = g.SchedLink;
        if (_head is null)
            _tail = null;
        g.SchedLink = null;
        Count--;
        return g;
    }
}
