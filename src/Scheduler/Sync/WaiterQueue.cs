using System.Runtime.CompilerServices;

namespace NetGo;

/// <summary>An intrusive FIFO list of waiters of one kind, any of which can be taken out. Not thread-safe: it is guarded by the
/// lock of what is waited for.</summary>
internal struct WaiterQueue<T>
    where T : Waiter
{
    private Waiter? _head;
    private Waiter? _tail;

    public readonly bool IsEmpty => _head is null;

    public readonly T? First => Unsafe.As<T?>(_head);

    public void PushBack(T waiter)
    {
        waiter.Queued = true;
        waiter.Next = null;
        waiter.Previous = _tail;
        if (_tail is null)
            _head = waiter;
        else
            _tail.Next = waiter;
        _tail = waiter;
    }

    public void PushFront(T waiter)
    {
        waiter.Queued = true;
        waiter.Previous = null;
        waiter.Next = _head;
        if (_head is null)
            _tail = waiter;
        else
            _head.Previous = waiter;
        _head = waiter;
    }

    public T? PopFront()
    {
        T? first = First;
        if (first is not null)
            Unlink(first);
        return first;
    }

    /// <summary>False when it is not on the queue.</summary>
    public bool TryRemove(T waiter)
    {
        if (!waiter.Queued)
            return false;
        Unlink(waiter);
        return true;
    }

    private void Unlink(T waiter)
    {
        if (waiter.Previous is null)
            _head = waiter.Next;
        else
            waiter.Previous.Next = waiter.Next;
        if (waiter.Next is null)
            _tail = waiter.Previous;
        else
            waiter.Next.Previous = waiter.Previous;
        waiter.Next = null;
        waiter.Previous = null;
        waiter.Queued = false;
    }

    /// <summary>Adds one that counts as off the queue: for a list of those to be made ready after the lock.</summary>
    public void Append(T waiter)
    {
        PushBack(waiter);
        waiter.Queued = false;
    }

    /// <summary>All of them, which count as off the queue at once, to be made ready after the lock; this one is empty
    /// then.</summary>
    public WaiterQueue<T> TakeAll(out int count)
    {
        WaiterQueue<T> all = this;
        this = default;
        count = 0;
        for (Waiter? waiter = all._head; waiter is not null; waiter = waiter.Next)
        {
            waiter.Queued = false;
            count++;
        }
        return all;
    }
}
