using System.Threading.Tasks.Sources;

namespace NetGo;

// A sleep that a CancellationToken may end. It begins with the await, which starts the timer and registers with the token
// before it parks; the three may therefore come in any order:
//
//   from      to          by                              then
//   Idle      Waiting     Rent
//   Waiting   Parked      OnCompleted, as its last step   whoever comes next makes the goroutine ready
//   Waiting   Fired       the timer                       OnCompleted makes it ready itself
//   Waiting   Cancelled   the token                       likewise
//   Parked    Fired       the timer, which makes it ready
//   Parked    Cancelled   the token, which makes it ready
//   Fired     Idle        GetResult, when the token has not called and never will: back to the pool of the thread
//
// All by compare-and-swap, but for the first and the last. One that was cancelled is not used again: its timer may be about to
// fire, and finds it Cancelled.
internal sealed class CancellableSleep : RuntimeTimer, IValueTaskSource
{
    private const int Idle = 0;
    private const int Waiting = 1;
    private const int Parked = 2;
    private const int Fired = 3;
    private const int Cancelled = 4;

    private const int PoolMax = 128;

    private static readonly Action<object?> s_cancel = static sleep => ((CancellableSleep)sleep!).Complete(Cancelled);

    [ThreadStatic]
    private static CancellableSleep? t_free;

    [ThreadStatic]
    private static int t_freeCount;

    private CancellableSleep? _next;
    private int _state;
    private short _token;
    private bool _awaited;
    private long _until;
    private GoScheduler? _scheduler;
    private CancellationToken _cancellationToken;
    private CancellationTokenRegistration _registration;
    private Goroutine? _parked;

    public short Token => _token;

    public static CancellableSleep Rent(GoScheduler scheduler, long until, CancellationToken cancellationToken)
    {
        CancellableSleep? sleep = t_free;
        if (sleep is null)
        {
            sleep = new CancellableSleep();
        }
        else
        {
            t_free = sleep._next;
            t_freeCount--;
            sleep._next = null;
        }
        sleep._scheduler = scheduler;
        sleep._until = until;
        sleep._cancellationToken = cancellationToken;
        sleep._state = Waiting;
        return sleep;
    }

    public ValueTaskSourceStatus GetStatus(short token)
    {
        Check(token);
        return Volatile.Read(ref _state) switch
        {
            Fired => ValueTaskSourceStatus.Succeeded,
            Cancelled => ValueTaskSourceStatus.Canceled,
            _ => ValueTaskSourceStatus.Pending,
        };
    }

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        Check(token);
        if (_awaited)
            throw new InvalidOperationException("A ValueTask was awaited twice.");
        _awaited = true;
        _registration = _cancellationToken.UnsafeRegister(s_cancel, this);
        if (Volatile.Read(ref _state) == Waiting)
            _scheduler!.TimersForThisThread().Start(this, _until);
        Goroutine g = Goroutine.Park(continuation, state, WaitReason.Sleep, flags);
        _parked = g;
        if (Interlocked.CompareExchange(ref _state, Parked, Waiting) != Waiting)
            g.Scheduler.Ready(g, next: true);
    }

    public void GetResult(short token)
    {
        Check(token);
        int state = Volatile.Read(ref _state);
        if (state is not (Fired or Cancelled))
            throw new InvalidOperationException("A ValueTask of NetGo cannot be blocked on before it has completed: await it, or use AsTask().");
        _token++;
        bool tokenIsDone = !_registration.Unregister();
        if (state == Cancelled)
        {
            Heap?.Stop(this);
            throw new OperationCanceledException(_cancellationToken);
        }
        if (!tokenIsDone)
            Return();
    }

    internal override void Fire(long now) => Complete(Fired);

    private void Complete(int outcome)
    {
        if (Interlocked.CompareExchange(ref _state, outcome, Waiting) == Waiting)
            return;
        if (Interlocked.CompareExchange(ref _state, outcome, Parked) == Parked)
            _parked!.Scheduler.Ready(_parked, next: false);
    }

    private void Return()
    {
        _state = Idle;
        _awaited = false;
        _parked = null;
        _scheduler = null;
        _cancellationToken = default;
        _registration = default;
        if (t_freeCount >= PoolMax)
            return;
        _next = t_free;
        t_free = this;
        t_freeCount++;
    }

    private void Check(short token)
    {
        if (token != _token)
            throw new InvalidOperationException("A ValueTask was awaited twice, or after its result was taken.");
    }
}
