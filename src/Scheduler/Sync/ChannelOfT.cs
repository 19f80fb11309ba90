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
public sealed partial class Channel<T> : IAsyncEnumerable<T>
{
    private readonly T[] _buffer;
    private SpinMutex _lock;
    private bool _closed;
    private int _head;
    private int _count;
    private long _id;
    private ChannelWaiterQueue<T> _receivers;
    private ChannelWaiterQueue<T> _senders;

    // An operation for the next who waits. Taken under the lock, put back without: two that are put back at once may overwrite
    // each other, and the garbage collector gets one; none can be taken twice.
    private ChannelOperation<T>? _spare;

    // Null unless the channel has been given to code that wants to know of values and room without taking them.
    private ChannelObservers<T>? _observers;

    internal Channel(int capacity) => _buffer = capacity == 0 ? [] : new T[capacity];

    private Channel(bool never)
        : this(0) => IsNever = never;

    /// <summary>The channel on which nothing ever happens; Go's nil channel. Sends and receives wait for ever (or until their
    /// token is cancelled), a select never chooses it, and it cannot be closed.</summary>
    [SuppressMessage("Design", "CA1000:Do not declare static members on generic types", Justification = "Like ImmutableArray<T>.Empty.")]
    public static Channel<T> Never { get; } = new(never: true);

    internal bool IsNever { get; }

    /// <summary>Unique among the channels that have been in a select: the order in which a select locks them. 0 for
    /// <see cref="Never"/>.</summary>
    internal long Id
    {
        get
        {
            long id = Volatile.Read(ref _id);
            if (id != 0 || IsNever)
                return id;
            Interlocked.CompareExchange(ref _id, ChannelId.Next(), 0);
            return Volatile.Read(ref _id);
        }
    }

    /// <summary>How many values it keeps at most; Go's cap.</summary>
    public int Capacity => _buffer.Length;

    /// <summary>How many values it keeps now; Go's len.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Sends a value; Go's <c>c &lt;- value</c>. The send counts from this call on; the result, to be awaited once,
    /// completes when a receiver or the buffer has taken the value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="cancellationToken">Ends the wait. The value has then not been sent.</param>
    /// <exception cref="ChannelClosedException">The channel is closed, or was closed while this waited.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the value was taken.</exception>
    public ValueTask SendAsync(T value, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        _lock.Enter();
        SendOutcome outcome = SendLocked(value, out Goroutine? wake);
        if (outcome == SendOutcome.WouldWait)
        {
            ChannelOperation<T> waiting = WaitAndExit(ChannelOperationKind.Sends, value, cancellationToken);
            return new ValueTask(waiting, waiting.Token);
        }
        _lock.Exit();
        if (outcome == SendOutcome.Closed)
            return ValueTask.FromException(new ChannelClosedException());
        Wake(wake);
        TellObservers();
        if (!Machine.SpendBudget())
            return default;
        ChannelOperation<T> sent = Yielding(ChannelOperationKind.Sends, default!, ok: true);
        return new ValueTask(sent, sent.Token);
    }

    /// <summary>Receives a value; Go's <c>value, ok := &lt;-c</c>. The receive counts from this call on; the result is to be
    /// awaited once. <c>Ok</c> is false, and <c>Value</c> the default, when the channel is closed and all its values have been
    /// received.</summary>
    /// <param name="cancellationToken">Ends the wait. A value that was handed over before that is still received.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled before there was a value.</exception>
    public ValueTask<(T Value, bool Ok)> ReceiveAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<(T Value, bool Ok)>(cancellationToken);
        ChannelOperation<T>? waiting = BeginReceive(out T value, out bool ok, cancellationToken);
        return waiting is null ? new ValueTask<(T Value, bool Ok)>((value, ok)) : new ValueTask<(T Value, bool Ok)>(waiting, waiting.Token);
    }

    /// <summary>All values from now on until the channel is closed and empty; Go's <c>for value := range c</c>. Each is received
    /// when it is asked for. Allocates one object, not one per value. The channel itself can stand behind <c>in</c> too.</summary>
    /// <param name="cancellationToken">Ends the wait for the next value.</param>
    /// <exception cref="OperationCanceledException">From the loop: the token was cancelled before there was a value.</exception>
    public IAsyncEnumerable<T> ReceiveAllAsync(CancellationToken cancellationToken = default) =>
        new ChannelEnumerator<T>(this, cancellationToken);

    /// <summary>For <c>await foreach</c>: the same as that of <see cref="ReceiveAllAsync"/>.</summary>
    /// <param name="cancellationToken">Ends the wait for the next value.</param>
    public IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        new ChannelEnumerator<T>(this, cancellationToken);

    /// <summary>Sends a value unless that would have to wait; Go's select with a send and a default.</summary>
    /// <param name="value">The value.</param>
    /// <returns>Whether it was sent.</returns>
    /// <exception cref="ChannelClosedException">The channel is closed.</exception>
    public bool TrySend(T value)
    {
        SendOutcome outcome = Offer(value);
        if (outcome == SendOutcome.Closed)
            throw new ChannelClosedException();
        return outcome == SendOutcome.Sent;
    }

    internal SendOutcome Offer(T value)
    {
        _lock.Enter();
        SendOutcome outcome = SendLocked(value, out Goroutine? wake);
        _lock.Exit();
        Wake(wake);
        TellObservers();
        return outcome;
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
        TellObservers();
        return done;
    }

    /// <summary>Says that no more values will be sent; Go's close. Those who wait to receive get the default and false, those
    /// who wait to send an exception. Values that are kept can still be received.</summary>
    /// <exception cref="ChannelClosedException">The channel is closed already.</exception>
    /// <exception cref="InvalidOperationException">It is <see cref="Never"/>.</exception>
    public void Close()
    {
        if (IsNever)
            throw new InvalidOperationException("The channel on which nothing ever happens cannot be closed.");
        if (!TryClose())
            throw new ChannelClosedException("The channel is closed already.");
    }

    /// <summary>False when it is closed already, or never will be.</summary>
    /// <param name="error">Why, for <see cref="CloseError"/>.</param>
    internal bool TryClose(Exception? error = null)
    {
        GoroutineQueue ready = default;
        _lock.Enter();
        if (_closed || IsNever)
        {
            _lock.Exit();
            return false;
        }
        _closed = true;
        if (error is not null)
            ObserversLocked.Error = error;
        while (_receivers.TakeFirst() is { } receiver)
        {
            receiver.Value = default!;
            CompleteClosed(receiver, ref ready);
        }
        while (_senders.TakeFirst() is { } sender)
            CompleteClosed(sender, ref ready);
        _lock.Exit();
        WakeAll(ref ready);
        _observers?.Closed?.Cancel();
        TellObservers();
        return true;
    }

    private static void CompleteClosed(ChannelWaiter<T> waiter, ref GoroutineQueue ready)
    {
        if (waiter.Complete(ChannelWaiterStatus.Closed) is { } g)
            ready.PushBack(g);
    }

    /// <summary>Receives: null with a value, or with the end of the channel; otherwise what is to be awaited.</summary>
    internal ChannelOperation<T>? BeginReceive(out T value, out bool ok, CancellationToken cancellationToken)
    {
        _lock.Enter();
        if (!ReceiveLocked(out value, out ok, out Goroutine? wake))
            return WaitAndExit(ChannelOperationKind.Receives, value, cancellationToken);
        _lock.Exit();
        Wake(wake);
        TellObservers();
        return Machine.SpendBudget() ? Yielding(ChannelOperationKind.Receives, value, ok) : null;
    }

    /// <summary>Queues an operation that would have to wait, and leaves the lock.</summary>
    private ChannelOperation<T> WaitAndExit(ChannelOperationKind kind, T value, CancellationToken cancellationToken)
    {
        CancellableChannelOperation<T>? cancellable = cancellationToken.CanBeCanceled ? CancellableChannelOperation<T>.Rent() : null;
        ChannelOperation<T> operation = cancellable ?? TakeSpare() ?? ChannelOperation<T>.RentFromThread();
        operation.Prepare(this, kind);
        operation.Value = value;
        if (IsNever)
            operation.Status = ChannelWaiterStatus.Queued; // on no queue: nobody shall find it
        else
            EnqueueLocked(operation, kind);
        _lock.Exit();
        cancellable?.Watch(cancellationToken);
        TellObservers();
        return operation;
    }

    /// <summary>For an operation that is done, but whose goroutine has used up its budget.</summary>
    private ChannelOperation<T> Yielding(ChannelOperationKind kind, T value, bool ok)
    {
        ChannelOperation<T> operation = ChannelOperation<T>.RentFromThread();
        operation.Prepare(this, kind | ChannelOperationKind.Yields);
        operation.Value = value;
        operation.Status = ok ? ChannelWaiterStatus.Exchanged : ChannelWaiterStatus.Closed;
        return operation;
    }

    // ---- For waiters and selects ----

    internal void Enter() => _lock.Enter();

    internal void Exit() => _lock.Exit();

    internal void EnqueueLocked(ChannelWaiter<T> waiter, ChannelOperationKind kind) => QueueOf(kind).PushBack(waiter);

    private ref ChannelWaiterQueue<T> QueueOf(ChannelOperationKind kind)
    {
        switch (kind)
        {
            case ChannelOperationKind.Sends:
                return ref _senders;
            case ChannelOperationKind.AwaitsValue:
                return ref _observers!.AwaitValue;
            case ChannelOperationKind.AwaitsRoom:
                return ref _observers!.AwaitRoom;
            default:
                return ref _receivers;
        }
    }

    /// <summary>Takes a case of a select that another case has won off its queue.</summary>
    internal void Withdraw(ChannelCase<T> waiter, ChannelOperationKind kind)
    {
        _lock.Enter();
        if (waiter.Status == ChannelWaiterStatus.Queued)
            QueueOf(kind).Remove(waiter);
        _lock.Exit();
    }

    /// <summary>Ends an operation if nobody has decided it yet. Returns the goroutine to make ready.</summary>
    internal Goroutine? Cancel(CancellableChannelOperation<T> operation)
    {
        Goroutine? g = null;
        _lock.Enter();
        if (operation.Status == ChannelWaiterStatus.Queued)
        {
            if (!IsNever)
                QueueOf(operation.Kind).Remove(operation);
            g = operation.Complete(ChannelWaiterStatus.Canceled);
        }
        _lock.Exit();
        return g;
    }

    internal SendOutcome SendLocked(T value, out Goroutine? wake)
    {
        wake = null;
        if (_closed)
            return SendOutcome.Closed;
        if (!_receivers.IsEmpty && _receivers.TakeFirst() is { } receiver)
        {
            receiver.Value = value;
            wake = receiver.Complete(ChannelWaiterStatus.Exchanged);
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
                wake = next.Complete(ChannelWaiterStatus.Exchanged);
            }
            return true;
        }
        if (!_senders.IsEmpty && _senders.TakeFirst() is { } sender)
        {
            value = sender.Value;
            wake = sender.Complete(ChannelWaiterStatus.Exchanged);
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

    private ChannelOperation<T>? TakeSpare()
    {
        ChannelOperation<T>? operation = Volatile.Read(ref _spare);
        if (operation is not null)
            _spare = null;
        return operation;
    }

    internal void Return(ChannelOperation<T> operation)
    {
        if (Volatile.Read(ref _spare) is null)
            Volatile.Write(ref _spare, operation);
        else
            operation.ReturnToThread();
    }

    private static void WakeAll(ref GoroutineQueue ready)
    {
        while (ready.PopFront() is { } g)
            g.Scheduler.Ready(g, next: false);
    }

    private static void Wake(Goroutine? g)
    {
        g?.Scheduler.Ready(g, next: true);
    }
}
