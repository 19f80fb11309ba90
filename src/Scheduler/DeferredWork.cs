namespace NetGo;

// A list that one thread adds to and any thread takes whole: what is in it is done once, by whoever has taken it.
//
//   owner, Push                           any, Run
//   1  next = _head                       1  taken = _head, _head = null   (one exchange)
//   2  if _head is next still: _head =    2  of each that was taken: read its next, and do it. From then on it may be in a list again,
//      work; else again from 1               and its next another
//
// There is no ABA: a head that is the same at 2 as at 1 has not been taken, for nobody but the owner could have put it back.
internal struct DeferredWork
{
    private IDeferredWork? _head;

    public readonly bool IsEmpty => Volatile.Read(in _head) is null;

    /// <summary>The owner: adds one that is in no list.</summary>
    public void Push(IDeferredWork work)
    {
        IDeferredWork? head;
        do
        {
            head = Volatile.Read(ref _head);
            work.NextDeferred = head;
        }
        while (Interlocked.CompareExchange(ref _head, work, head) != head);
    }

    /// <summary>Does all that there is. Any thread.</summary>
    public void Run()
    {
        IDeferredWork? work = Interlocked.Exchange(ref _head, null);
        while (work is not null)
        {
            IDeferredWork? next = work.NextDeferred;
            work.NextDeferred = null;
            work.RunDeferred();
            work = next;
        }
    }
}
