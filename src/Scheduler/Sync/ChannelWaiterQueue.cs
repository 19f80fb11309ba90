using System.Diagnostics;

namespace NetGo;

/// <summary>The waiters on one side of a channel, first come first served; Go's <c>waitq</c>. Guarded by the channel's
/// lock.</summary>
internal struct ChannelWaiterQueue<T>
{
    private ChannelWaiter<T>? _head;
    private ChannelWaiter<T>? _tail;

    public readonly bool IsEmpty => _head is null;

    public void PushBack(ChannelWaiter<T> waiter)
    {
        Debug.Assert(!waiter.Queued);
        waiter.Queued = true;
        waiter.Next = null;
        waiter.Previous = _tail;
        if (_tail is null)
            _head = waiter;
        else
            _tail.Next = waiter;
        _tail = waiter;
    }

    /// <summary>Takes the first whose operation nobody has decided yet: of a select only the first case to get here wins,
    /// and the others are thrown away.</summary>
    public ChannelWaiter<T>? TakeFirst()
    {
        while (_head is { } waiter)
        {
            Remove(waiter);
            if (waiter.Case is null || waiter.Case.Select.TryWin(waiter.Case))
                return waiter;
        }
        return null;
    }

    public void Remove(ChannelWaiter<T> waiter)
    {
        waiter.Queued = false;
        ChannelWaiter<T>? next = waiter.Next;
        ChannelWaiter<T>? previous = waiter.Previous;
        if (previous is null)
            _head = next;
        else
            previous.Next = next;
        if (next is null)
            _tail = previous;
        else
            next.Previous = previous;
        waiter.Next = null;
        waiter.Previous = null;
    }
}
