using System.Threading.Tasks.Sources;

namespace NetGo;

// Someone who waits for a mutex. In normal mode being woken is not having it: the goroutine comes to Resume first, which competes
// for the mutex and parks again when it loses, and only then goes on with what awaited it. Its states:
//
//   from            to              by
//   Rented          Yielding        the await, when the goroutine has used up its budget: on a run queue, not on the mutex's
//   Rented          Queued          the await: parked, on the mutex's queue; from here on the clock of its starvation runs
//   Yielding        Queued          Resume, when the mutex is locked
//   Queued          Woken           Unlock, in normal mode: off the queue and made ready to compete
//   Woken           Queued          Resume, when another was quicker
//   Queued          Locked          Unlock, in starvation mode: handed over
//   all but Queued  Locked          itself, when it finds the mutex free
//   Queued          Cancelled       the cancellation, which takes it off the queue
//   all but Queued  Cancelled       itself, when it would queue and sees that cancellation was requested
//
// Queue membership and CancellationRequested are guarded by the mutex's queue lock; all else is the waiter's own while it is
// not on the queue, and of whoever took it off until the goroutine is made ready.
internal sealed class MutexWaiter : Waiter, IContinuationWrapper, IValueTaskSource, IValueTaskSource<GoMutex.Holder>
{
    /// <summary>How long it may wait, in nanoseconds of the scheduler's clock, before it insists; Go's
    /// starvationThresholdNs.</summary>
    private const long StarvationThreshold = 1_000_000;

    private const int PoolMax = 128;

    private static readonly Action<object?> s_resume = static waiter => ((MutexWaiter)waiter!).Resume();

    [ThreadStatic]
    private static MutexWaiter? t_free;

    [ThreadStatic]
    private static int t_freeCount;

    /// <summary>Whether its token was cancelled. Guarded by the mutex's queue lock.</summary>
    public bool CancellationRequested;

    /// <summary>How the wait has ended.</summary>
    public MutexOutcome Outcome;

    private bool _yields;
    private bool _woken;
    private bool _handedOver;
    private ValueTaskSourceOnCompletedFlags _flags;
    private GoMutex? _mutex;
    private Goroutine? _parked;
    private Action<object?>? _continuation;
    private object? _state;
    private long _waitsSince;

    object? IContinuationWrapper.Argument => _state;

    public static MutexWaiter Rent(GoMutex mutex, bool yields, CancellationToken cancellationToken)
    {
        MutexWaiter? waiter = t_free;
        if (waiter is null)
        {
            waiter = new MutexWaiter();
        }
        else
        {
            t_free = (MutexWaiter?)waiter.Next;
            t_freeCount--;
            waiter.Next = null;
        }
        waiter._mutex = mutex;
        waiter._yields = yields;
        waiter.CancellationToken = cancellationToken;
        return waiter;
    }

    /// <summary>By the unlock that has taken it off the queue.</summary>
    /// <param name="handedOver">Whether the mutex is its own now, in starvation mode; else it is to compete for it.</param>
    public void Wake(bool handedOver)
    {
        _woken = !handedOver;
        _handedOver = handedOver;
        if (handedOver)
            Outcome = MutexOutcome.Locked;
        Goroutine g = _parked!;
        g.Scheduler.Ready(g, next: true);
    }

    protected override void Cancel()
    {
        if (!_mutex!.TryWithdraw(this))
            return;
        Outcome = MutexOutcome.Cancelled;
        Goroutine g = _parked!;
        g.Scheduler.Ready(g, next: false);
    }

    public ValueTaskSourceStatus GetStatus(short token)
    {
        Check(token);
        return Outcome switch
        {
            MutexOutcome.Locked => ValueTaskSourceStatus.Succeeded,
            MutexOutcome.Cancelled => ValueTaskSourceStatus.Canceled,
            _ => ValueTaskSourceStatus.Pending,
        };
    }

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        Check(token);
        if (_continuation is not null)
            throw AwaitedTwice();
        _continuation = continuation;
        _state = state;
        _flags = flags;
        RegisterCancellation();
        if (_yields)
            Yield();
        else
            ParkAndWait();
    }

    private void Yield()
    {
        Goroutine g = Goroutine.Park(s_resume, this, WaitReason.Yield, _flags);
        g.MarkRunnable();
        g.Scheduler.Enqueue(g, next: false);
    }

    private void ParkAndWait()
    {
        Goroutine g = Goroutine.Park(s_resume, this, WaitReason.Mutex, _flags);
        _parked = g;
        long now = g.Scheduler.Now();
        if (!_woken)
            _waitsSince = now;
        if (!_mutex!.TryEnqueue(this, _woken, starving: now - _waitsSince > StarvationThreshold))
            g.Scheduler.Ready(g, next: true);
    }

    private void Resume()
    {
        if (Outcome == MutexOutcome.None)
        {
            if (!_mutex!.TryTake(_woken))
            {
                ParkAndWait();
                return;
            }
            Outcome = MutexOutcome.Locked;
        }
        if (_handedOver && _parked!.Scheduler.Now() - _waitsSince <= StarvationThreshold)
            _mutex!.EndStarvation();
        Action<object?> continuation = _continuation!;
        object? state = _state;
        _continuation = null;
        _state = null;
        continuation(state);
    }

    public void GetResult(short token) => TakeResult(token);

    GoMutex.Holder IValueTaskSource<GoMutex.Holder>.GetResult(short token) => new(TakeResult(token));

    private GoMutex TakeResult(short token)
    {
        Check(token);
        MutexOutcome outcome = Outcome;
        if (outcome == MutexOutcome.None)
            throw NotCompleted();
        GoMutex mutex = _mutex!;
        OperationCanceledException? cancelled = outcome == MutexOutcome.Cancelled ? Cancelled() : null;
        if (End())
            Return();
        if (cancelled is not null)
            throw cancelled;
        return mutex;
    }

    private void Return()
    {
        if (t_freeCount >= PoolMax)
            return;
        Outcome = MutexOutcome.None;
        CancellationRequested = false;
        _woken = false;
        _handedOver = false;
        _mutex = null;
        _parked = null;
        Next = t_free;
        t_free = this;
        t_freeCount++;
    }
}
