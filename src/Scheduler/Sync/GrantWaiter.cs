using System.Threading.Tasks.Sources;

namespace NetGo;

// Someone who waits until something is given to him: a lock, units of a semaphore, a signal, the end of a group. The wait begins
// with the call, which puts him on the queue; the goroutine parks at the await. His states:
//
//   from             to         by
//   Free             Waiting    the call that waits, which rents it
//   Waiting          Parked     the await, by compare-and-swap; the goroutine was written before
//   Waiting, Parked  Granted    who took it off the queue, with what it waits for being its own from then on; by exchange
//   Waiting, Parked  Cancelled  the cancellation, if it could take it off the queue; by exchange
//   Granted          Free       GetResult
//   Cancelled        -          GetResult, and then it is the garbage collector's (see Waiter.End)
//
// So the queue, under its owner's lock, decides between the two outcomes, and the exchange only between an await before and
// one after it: whoever sees the other's step makes the goroutine ready.
internal sealed class GrantWaiter : Waiter, IValueTaskSource
{
    private const int Waiting = 0;
    private const int Parked = 1;
    private const int Granted = 2;
    private const int WasCancelled = 3;

    private const int PoolMax = 128;

    [ThreadStatic]
    private static GrantWaiter? t_free;

    [ThreadStatic]
    private static int t_freeCount;

    private int _state;
    private WaitReason _reason;
    private Goroutine? _goroutine;
    private IWaiterOwner? _owner;

    public WaitReason Reason => _reason;

    /// <summary>How much of a semaphore it waits for.</summary>
    public long Units;

    public static GrantWaiter Rent(IWaiterOwner owner, WaitReason reason)
    {
        GrantWaiter? waiter = t_free;
        if (waiter is null)
        {
            waiter = new GrantWaiter();
        }
        else
        {
            t_free = (GrantWaiter?)waiter.Next;
            t_freeCount--;
            waiter.Next = null;
        }
        waiter._owner = owner;
        waiter._reason = reason;
        return waiter;
    }

    /// <summary>What the caller awaits. The waiter is on the queue, and may have been granted what it waits for.</summary>
    public ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        Begin(cancellationToken);
        return new ValueTask(this, Token);
    }

    /// <summary>From here on the token cancels the wait. The waiter is on the queue, and may have been granted what it waits
    /// for.</summary>
    public void Begin(CancellationToken cancellationToken)
    {
        CancellationToken = cancellationToken;
        RegisterCancellation();
    }

    /// <summary>By who took it off the queue, after the lock. It must not be touched after that.</summary>
    /// <param name="next">Whether its goroutine shall run next.</param>
    public void Grant(bool next) => Complete(Granted, next);

    /// <summary>Grants it to all of a queue in order. The first runs next.</summary>
    public static void GrantAll(ref WaiterQueue<GrantWaiter> waiters)
    {
        for (bool first = true; waiters.PopFront() is { } waiter; first = false)
            waiter.Grant(next: first);
    }

    protected override void Cancel()
    {
        if (_owner!.TryWithdraw(this))
            Complete(WasCancelled, next: false);
    }

    private void Complete(int outcome, bool next)
    {
        if (Interlocked.Exchange(ref _state, outcome) != Parked)
            return;
        Goroutine g = _goroutine!;
        g.Scheduler.Ready(g, next);
    }

    public ValueTaskSourceStatus GetStatus(short token)
    {
        Check(token);
        return Volatile.Read(ref _state) switch
        {
            Granted => ValueTaskSourceStatus.Succeeded,
            WasCancelled => ValueTaskSourceStatus.Canceled,
            _ => ValueTaskSourceStatus.Pending,
        };
    }

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        Check(token);
        if (_goroutine is not null)
            throw AwaitedTwice();
        Goroutine g = Goroutine.Park(continuation, state, _reason, flags);
        _goroutine = g;
        if (Interlocked.CompareExchange(ref _state, Parked, Waiting) != Waiting)
            g.Scheduler.Ready(g, next: true);
    }

    public void GetResult(short token)
    {
        Check(token);
        int outcome = Volatile.Read(ref _state);
        if (outcome is not (Granted or WasCancelled))
            throw NotCompleted();
        OperationCanceledException? cancelled = outcome == WasCancelled ? Cancelled() : null;
        if (End())
            Return();
        if (cancelled is not null)
            throw cancelled;
    }

    private void Return()
    {
        if (t_freeCount >= PoolMax)
            return;
        _state = Waiting;
        _goroutine = null;
        _owner = null;
        Next = t_free;
        t_free = this;
        t_freeCount++;
    }
}
