using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace NetGo;

// A channel; Go's hchan. All of it is guarded by one lock, except the spare waiter. At any time, at least one of the two
// queues is empty (but for a select that both sends and receives on it), and
//
//   values in the buffer     nobody waits to receive
//   room in the buffer       nobody waits to send
//   closed                   nobody waits at all
//
// A value for which someone waits is handed over directly: a sender never puts what a receiver could take, and a receiver
// that makes room in a full buffer puts the first waiting sender's value in.

/// <summary>A queue of values between goroutines; Go's <c>chan T</c>, made by <see cref="Channel.Make{T}(int)"/>. All members
/// may be used from any thread. Whoever waits longest is served first.</summary>
public sealed class Channel<T>
{
    private readonly T[] _buffer;
    private SpinMutex _lock;
    private bool _closed;
    private int _head;
    private int _count;
    private ChannelWaiterQueue<T> _receivers;
    private ChannelWaiterQueue<T> _senders;

    // A waiter for the next who waits. Taken under the lock, put back without: two that are put back at once may overwrite
    // each other, and the garbage collector gets one; none can be taken twice.
    private ChannelWaiter<T>? _spare;

    internal Channel(int capacity, long id)
    {
        _buffer = capacity == 0 ? [] : new T[capacity];
        Id = id;
    }

    /// <summary>Unique in the process: the order in which a select locks channels.</summary>
    internal long Id { get; }

    /// <summary>How many values it keeps at most; Go's cap.</summary>
    public int Capacity => _buffer.Length;

    /// <summary>How many values it keeps now; Go's len.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Sends a value; Go's <c>c &lt;- value</c>. The send counts from this call on; the result, to be awaited once,
    /// completes when a receiver or the buffer has taken the value.</summary>
    /// <param name="value">The value.</param>
    /// <exception cref="ChannelClosedException">The channel is closed, or was closed while this waited.</exception>
    public ValueTask SendAsync(T value)
    {
        _lock.Enter();
        SendOutcome outcome = SendLocked(value, out Goroutine? wake);
        ChannelWaiter<T>? waiter = null;
        if (outcome == SendOutcome.WouldWait)
        {
            waiter = Rent(sends: true);
            waiter.Value = value;
            _senders.PushBack(waiter);
        }
        _lock.Exit();
        if (waiter is not null)
            return new ValueTask(waiter, waiter.Token);
        if (outcome == SendOutcome.Closed)
            return ValueTask.FromException(new ChannelClosedException());
        Wake(wake);
        return default;
    }

    /// <summary>Receives a value; Go's <c>value, ok := &lt;-c</c>. The receive counts from this call on; the result is to be
    /// awaited once. <c>Ok</c> is false, and <c>Value</c> the default, when the channel is closed and all its values have been
    /// received.</summary>
    public ValueTask<(T Value, bool Ok)> ReceiveAsync()
    {
        _lock.Enter();
        if (ReceiveLocked(out T value, out bool ok, out Goroutine? wake))
        {
            _lock.Exit();
            Wake(wake);
            return new ValueTask<(T Value, bool Ok)>((value, ok));
        }
        ChannelWaiter<T> waiter = Rent(sends: false);
        _receivers.PushBack(waiter);
        _lock.Exit();
        return new ValueTask<(T Value, bool Ok)>(waiter, waiter.Token);
    }

    /// <summary>Sends a value unless that would have to wait; Go's select with a send and a default.</summary>
    /// <param name="value">The value.</param>
    /// <returns>Whether it was sent.</returns>
    /// <exception cref="ChannelClosedException">The channel is closed.</exception>
    public bool TrySend(T value)
    {
        _lock.Enter();
        SendOutcome outcome = SendLocked(value, out Goroutine? wake);
        _lock.Exit();
        if (outcome == SendOutcome.Closed)
            throw new ChannelClosedException();
        Wake(wake);
        return outcome == SendOutcome.Sent;
    }

    /// <summary>Receives a value if there is one.</summary>
    /// <param name="value">The value; the default when there is none.</param>
    /// <returns>Whether a value was received: false when that would have to wait, and when the channel is closed and
    /// empty.</returns>
    public bool TryReceive([MaybeNullWhen(false)] out T value) => TryReceive(out value, out bool ok) && ok;

    /// <summary>Receives unless that would have to wait; Go's select with a receive and a default.</summary>
    /// <param name="value">The value; the default when there is none.</param>
    /// <param name="ok">Whether a value was received.</param>
    /// <returns>False when it would have to wait; true with a value, and when the channel is closed and empty.</returns>
    public bool TryReceive(out T value, out bool ok)
    {
        _lock.Enter();
        bool done = ReceiveLocked(out value, out ok, out Goroutine? wake);
        _lock.Exit();
        Wake(wake);
        return done;
    }

    /// <summary>Says that no more values will be sent; Go's close. Those who wait to receive get the default and false, those
    /// who wait to send an exception. Values that are kept can still be received.</summary>
    /// <exception cref="ChannelClosedException">The channel is closed already.</exception>
    public void Close()
    {
        GoroutineQueue ready = default;
        _lock.Enter();
        bool closedBefore = _closed;
        _closed = true;
        while (_receivers.TakeFirst() is { } receiver)
        {
            receiver.Value = default!;
            CompleteClosed(receiver, ref ready);
        }
        while (_senders.TakeFirst() is { } sender)
            CompleteClosed(sender, ref ready);
        _lock.Exit();
        if (closedBefore)
            throw new ChannelClosedException("The channel is closed already.");
        while (ready.PopFront() is { } g)
            g.Scheduler.Ready(g, next: false);
    }

    private static void CompleteClosed(ChannelWaiter<T> waiter, ref GoroutineQueue ready)
    {
        waiter.Ok = false;
        if (waiter.Complete() is { } g)
            ready.PushBack(g);
    }

    // ---- For waiters and selects ----

    internal void Enter() => _lock.Enter();

    internal void Exit() => _lock.Exit();

    internal void EnqueueLocked(ChannelWaiter<T> waiter, bool sends)
    {
        if (sends)
            _senders.PushBack(waiter);
        else
            _receivers.PushBack(waiter);
    }

    /// <summary>Takes a case of a select that another case has won off its queue.</summary>
    internal void Withdraw(ChannelWaiter<T> waiter, bool sends)
    {
        _lock.Enter();
        if (waiter.Queued)
        {
            if (sends)
                _senders.Remove(waiter);
            else
                _receivers.Remove(waiter);
        }
        _lock.Exit();
    }

    internal SendOutcome SendLocked(T value, out Goroutine? wake)
    {
        wake = null;
        if (_closed)
            return SendOutcome.Closed;
        if (!_receivers.IsEmpty && _receivers.TakeFirst() is { } receiver)
        {
            receiver.Value = value;
            receiver.Ok = true;
            wake = receiver.Complete();
            return SendOutcome.Sent;
        }
        if (_count == _buffer.Length)
            return SendOutcome.WouldWait;
        PutLocked(value);
        return SendOutcome.Sent;
    }

    /// <summary>False when it would have to wait.</summary>
    internal bool ReceiveLocked(out T value, out bool ok, out Goroutine? wake)
    {
        wake = null;
        ok = true;
        if (_count > 0)
        {
            ref T slot = ref _buffer[_head];
            value = slot;
            if (RuntimeHelpers.IsReferenceOrContainsReferences<T>())
                slot = default!;
            if (++_head == _buffer.Length)
                _head = 0;
            _count--;
            if (!_senders.IsEmpty && _senders.TakeFirst() is { } next)
            {
                PutLocked(next.Value);
                next.Ok = true;
                wake = next.Complete();
            }
            return true;
        }
        if (!_senders.IsEmpty && _senders.TakeFirst() is { } sender)
        {
            value = sender.Value;
            sender.Ok = true;
            wake = sender.Complete();
            return true;
        }
        value = default!;
        ok = false;
        return _closed;
    }

    private void PutLocked(T value)
    {
        int tail = _head + _count;
        if (tail >= _buffer.Length)
            tail -= _buffer.Length;
        _buffer[tail] = value;
        _count++;
    }

    private ChannelWaiter<T> Rent(bool sends)
    {
        ChannelWaiter<T>? waiter = Volatile.Read(ref _spare);
        if (waiter is not null)
            _spare = null;
        else
            waiter = ChannelWaiter<T>.RentFromThread();
        waiter.Prepare(this, sends);
        return waiter;
    }

    internal void Return(ChannelWaiter<T> waiter)
    {
        if (Volatile.Read(ref _spare) is null)
            Volatile.Write(ref _spare, waiter);
        else
            waiter.ReturnToThread();
    }

    private static void Wake(Goroutine? g)
    {
        g?.Scheduler.Ready(g, next: true);
    }
}
