using System.Threading.Tasks.Sources;

namespace NetGo;

// Something that happens once, and those who wait for it. Guarded by one lock. Whoever sets a waiter's outcome, under that lock,
// has to make its goroutine ready, unless the waiter has not been queued yet: then its own thread does.

/// <summary>An event that, once set, stays set. Any number of goroutines may wait for it, any thread may set it, more than
/// once.</summary>
internal sealed class Latch
{
    private SpinMutex _lock;
    private bool _set;
    private Waiter? _first;
    private Waiter? _last;

    private enum Outcome : byte
    {
        None,
        Set,
        Canceled,
    }

    public bool IsSet => Volatile.Read(ref _set);

    /// <summary>Lets all go on who wait or will wait, in the order in which they came.</summary>
    public void Set()
    {
        _lock.Enter();
        Volatile.Write(ref _set, true);
        Waiter? waiter = _first;
        _first = null;
        _last = null;
        for (Waiter? w = waiter; w is not null; w = w.Next)
            w.Outcome = Outcome.Set;
        _lock.Exit();
        for (bool first = true; waiter is not null; first = false)
        {
            Goroutine g = waiter.Parked!;
            waiter = waiter.Next;
            g.Scheduler.Ready(g, next: first);
        }
    }

    /// <summary>Waits until it is set. To be awaited at once.</summary>
    public ValueTask WaitAsync(WaitReason reason, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        if (!IsSet)
            return new ValueTask(new Waiter(this, reason, cancellationToken), 0);
        return Machine.SpendBudget() ? Go.YieldAsync() : default;
    }

    /// <summary>False when there is nothing left to wait for.</summary>
    private bool TryEnqueue(Waiter waiter)
    {
        _lock.Enter();
        bool waits = !_set && waiter.Outcome == Outcome.None;
        if (waits)
        {
            waiter.Queued = true;
            waiter.Previous = _last;
            if (_last is null)
                _first = waiter;
            else
                _last.Next = waiter;
            _last = waiter;
        }
        else if (waiter.Outcome == Outcome.None)
        {
            waiter.Outcome = Outcome.Set;
        }
        _lock.Exit();
        return waits;
    }

    private void Withdraw(Waiter waiter)
    {
        Goroutine? g = null;
        _lock.Enter();
        if (waiter.Outcome == Outcome.None)
        {
            waiter.Outcome = Outcome.Canceled;
            if (waiter.Queued)
            {
                g = waiter.Parked;
                Unlink(waiter);
            }
        }
        _lock.Exit();
        g?.Scheduler.Ready(g, next: false);
    }

    private void Unlink(Waiter waiter)
    {
        if (waiter.Previous is null)
            _first = waiter.Next;
        else
            waiter.Previous.Next = waiter.Next;
        if (waiter.Next is null)
            _last = waiter.Previous;
        else
            waiter.Next.Previous = waiter.Previous;
    }

    private sealed class Waiter(Latch latch, WaitReason reason, CancellationToken cancellationToken) : IValueTaskSource
    {
        public Waiter? Next;
        public Waiter? Previous;
        public Goroutine? Parked;
        public volatile Outcome Outcome;
        public bool Queued;

        private CancellationTokenRegistration _registration;
        private bool _awaited;
        private bool _taken;

        public ValueTaskSourceStatus GetStatus(short token)
        {
            ThrowIfTaken();
            return Outcome switch
            {
                Outcome.Set => ValueTaskSourceStatus.Succeeded,
                Outcome.Canceled => ValueTaskSourceStatus.Canceled,
                _ => ValueTaskSourceStatus.Pending,
            };
        }

        public void GetResult(short token)
        {
            ThrowIfTaken();
            if (Outcome == Outcome.None)
                throw new InvalidOperationException("A ValueTask of NetGo cannot be blocked on before it has completed: await it, or use AsTask().");
            _taken = true;
            _registration.Unregister();
            if (Outcome == Outcome.Canceled)
                throw new OperationCanceledException(cancellationToken);
        }

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        {
            ThrowIfTaken();
            if (_awaited)
                throw new InvalidOperationException("A ValueTask was awaited twice.");
            _awaited = true;
            Goroutine g = Goroutine.Park(continuation, state, reason, flags);
            Parked = g;
            // Before it is queued: nobody goes on with it until the registration is in its field.
            if (cancellationToken.CanBeCanceled)
                _registration = cancellationToken.UnsafeRegister(static waiter => ((Waiter)waiter!).Cancel(), this);
            if (!latch.TryEnqueue(this))
                g.Scheduler.Ready(g, next: false);
        }

        private void Cancel() => latch.Withdraw(this);

        private void ThrowIfTaken()
        {
            if (_taken)
                throw new InvalidOperationException("A ValueTask was awaited twice, or after its result was taken.");
        }
    }
}
