using System.Diagnostics;

namespace NetGo;

/// <summary>The waiters on one side of a channel, first come first served; Go's <c>waitq</c>. A ring of which only the tail is
/// known: its next is the head. Guarded by the channel's lock.</summary>
internal struct ChannelWaiterQueue<T>
{
    private ChannelWaiter<T>? _tail;

    public readonly bool IsEmpty => _tail is null;

    public void PushBack(ChannelWaiter<T> waiter)
    {
        Debug.Assert(waiter.Status != ChannelWaiterStatus.Queued);
        waiter.Status = ChannelWaiterStatus.Queued;
        if (_tail is null)
        {
            waiter.Next = waiter;
        }
        else
        {
            waiter.Next = _tail.Next;
            _tail.Next = waiter;
            waiter.Previous = _tail;
        }
        _tail = waiter;
    }

    /// <summary>Takes the first whose operation nobody has decided yet: of a select only the first case to get here wins,
    /// and the others are thrown away.</summary>
    public ChannelWaiter<T>? TakeFirst()
    {
        while (_tail is not null)
        {
            ChannelWaiter<T> head = RemoveHead();
            if (head.TryClaim())
                return head;
        }
        return null;
    }

    /// <summary>Takes off one that is queued and knows its <see cref="ChannelWaiter{T}.Previous"/>.</summary>
    public void Remove(ChannelWaiter<T> waiter)
    {
        if (_tail!.Next == waiter)
        {
            RemoveHead();
            return;
        }
        ChannelWaiter<T> previous = waiter.Previous!;
        previous.Next = waiter.Next;
        if (waiter == _tail)
            _tail = previous;
        else
            waiter.Next!.Previous = previous;
        waiter.Previous = null;
        Unlink(waiter);
    }

    private ChannelWaiter<T> RemoveHead()
    {
        ChannelWaiter<T> head = _tail!.Next!;
        if (head == _tail)
        {
            _tail = null;
        }
        else
        {
            _tail.Next = head.Next;
            head.Next!.Previous = null;
        }
        Unlink(head);
        return head;
    }

    private static void Unlink(ChannelWaiter<T> waiter)
    {
        waiter.Next = null;
        waiter.Status = ChannelWaiterStatus.Idle;
    }
}
