using System.Threading.Tasks.Sources;

namespace NetGo;

// Someone who waits for a mutex. Being woken is not having it: the goroutine comes to Resume first, which competes for the
// mutex and parks again when it loses, and only then goes on with what awaited it.
internal sealed class MutexWaiter : IValueTaskSource
{
    private const int PoolMax = 128;

    private static readonly Action<object?> s_resume = static waiter => ((MutexWaiter)waiter!).Resume();

    [ThreadStatic]
    private static MutexWaiter? t_free;

    [ThreadStatic]
    private static int t_freeCount;

    public MutexWaiter? Next;

    /// <summary>The goroutine to make ready; valid while it is on the queue.</summary>
    public Goroutine? Parked;

    private GoMutex? _mutex;
    private Action<object?>? _continuation;
    private object? _state;
    private ValueTaskSourceOnCompletedFlags _flags;
    private short _token;
    private bool _acquired;

    public short Token => _token;

    public static MutexWaiter Rent(GoMutex mutex)
    {
        MutexWaiter? waiter = t_free;
        if (waiter is null)
        {
            waiter = new MutexWaiter();
        }
        else
        {
            t_free = waiter.Next;
            t_freeCount--;
            waiter.Next = null;
        }
        waiter._mutex = mutex;
        return waiter;
    }

    public ValueTaskSourceStatus GetStatus(short token)
    {
        Check(token);
        return _acquired ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Pending;
    }

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        Check(token);
        if (_continuation is not null)
            throw new InvalidOperationException("A ValueTask was awaited twice.");
        _continuation = continuation;
        _state = state;
        _flags = flags;
        ParkAndWait(ofWoken: false);
    }

    public void GetResult(short token)
    {
        Check(token);
        if (!_acquired)
            throw new InvalidOperationException("A ValueTask of NetGo cannot be blocked on before it has completed: await it, or use AsTask().");
        _token++;
        _acquired = false;
        _mutex = null;
        Parked = null;
        if (t_freeCount >= PoolMax)
            return;
        Next = t_free;
        t_free = this;
        t_freeCount++;
    }

    private void ParkAndWait(bool ofWoken)
    {
        Goroutine g = Goroutine.Park(s_resume, this, WaitReason.Mutex, _flags);
        Parked = g;
        if (!_mutex!.TakeOrEnqueue(this, ofWoken))
            return;
        _acquired = true;
        g.Scheduler.Ready(g, next: true);
    }

    private void Resume()
    {
        if (!_acquired && !_mutex!.TryTake(ofWoken: true))
        {
            ParkAndWait(ofWoken: true);
            return;
        }
        _acquired = true;
        Action<object?> continuation = _continuation!;
        object? state = _state;
        _continuation = null;
        _state = null;
        continuation(state);
    }

    private void Check(short token)
    {
        if (token != _token)
            throw new InvalidOperationException("A ValueTask was awaited twice, or after its result was taken.");
    }
}
