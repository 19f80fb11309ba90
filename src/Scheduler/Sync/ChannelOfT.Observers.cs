namespace NetGo;

// The side of a channel that shows to those who observe it. Every operation ends, outside the lock, with TellObservers: who
// began to observe under the lock before the operation is seen there, and who did after has seen what it did. All who wait for
// the same are told, and then compete.
public sealed partial class Channel<T>
{
    /// <summary>Waits until there is a value to be received, which another may take first. False when there will be none any
    /// more.</summary>
    internal ValueTask<bool> WaitToReceiveAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<bool>(cancellationToken);
        _lock.Enter();
        return HasValueLocked || _closed
            ? ExitWith(ChannelOperationKind.AwaitsValue, HasValueLocked)
            : WaitToObserve(ChannelOperationKind.AwaitsValue, cancellationToken);
    }

    /// <summary>Waits until a send would not have to wait, unless another sends first. False when the channel is closed.</summary>
    internal ValueTask<bool> WaitToSendAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<bool>(cancellationToken);
        _lock.Enter();
        return HasRoomLocked || _closed
            ? ExitWith(ChannelOperationKind.AwaitsRoom, !_closed)
            : WaitToObserve(ChannelOperationKind.AwaitsRoom, cancellationToken);
    }

    private ValueTask<bool> ExitWith(ChannelOperationKind kind, bool result)
    {
        _lock.Exit();
        if (!Machine.SpendBudget())
            return new ValueTask<bool>(result);
        ChannelOperation<T> yielding = Yielding(kind, default!, result);
        return new ValueTask<bool>(yielding, yielding.Token);
    }

    private ValueTask<bool> WaitToObserve(ChannelOperationKind kind, CancellationToken cancellationToken)
    {
        _ = ObserversLocked;
        ChannelOperation<T> waiting = WaitAndExit(kind, default!, cancellationToken);
        return new ValueTask<bool>(waiting, waiting.Token);
    }

    /// <summary>Completes when the channel is closed and empty, with <see cref="CloseError"/> if there is one.</summary>
    internal Task Drained
    {
        get
        {
            _lock.Enter();
            TaskCompletionSource drained = ObserversLocked.Drained ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            _lock.Exit();
            TellObservers();
            return drained.Task;
        }
    }

    /// <summary>Is cancelled when the channel is closed.</summary>
    internal CancellationToken Closed
    {
        get
        {
            _lock.Enter();
            CancellationTokenSource closed = ObserversLocked.Closed ??= new();
            bool isClosed = _closed;
            _lock.Exit();
            if (isClosed)
                closed.Cancel();
            return closed.Token;
        }
    }

    /// <summary>What the channel was closed for; null when for nothing, or when it is open.</summary>
    internal Exception? CloseError => Volatile.Read(ref _observers)?.Error;

    internal void TellObservers()
    {
        if (_observers is not null)
            TellObserversOfState();
    }

    private bool HasValueLocked => _count > 0 || !_senders.IsEmpty;

    private bool HasRoomLocked => _count < _buffer.Length || !_receivers.IsEmpty;

    private ChannelObservers<T> ObserversLocked => _observers ??= new();

    private void TellObserversOfState()
    {
        GoroutineQueue ready = default;
        _lock.Enter();
        ChannelObservers<T> observers = _observers!;
        if (HasValueLocked || _closed)
            Release(ref observers.AwaitValue, HasValueLocked, ref ready);
        if (HasRoomLocked || _closed)
            Release(ref observers.AwaitRoom, !_closed, ref ready);
        TaskCompletionSource? drained = _closed && !HasValueLocked ? observers.Drained : null;
        Exception? error = observers.Error;
        _lock.Exit();
        WakeAll(ref ready);
        if (error is OperationCanceledException canceled)
            drained?.TrySetCanceled(canceled.CancellationToken);
        else if (error is not null)
            drained?.TrySetException(error);
        else
            drained?.TrySetResult();
    }

    private static void Release(ref ChannelWaiterQueue<T> observers, bool result, ref GoroutineQueue ready)
    {
        while (observers.TakeFirst() is { } observer)
        {
            if (observer.Complete(result ? ChannelWaiterStatus.Exchanged : ChannelWaiterStatus.Closed) is { } g)
                ready.PushBack(g);
        }
    }
}
