using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;
using Microsoft.AspNetCore.Connections;
using NetGo.Netpoll;

namespace NetGo.Connections;

// A read or a flush of a connection: one object per direction, used again and again. It is an operation of the NetConnection from RunAsync
// until its end, so the descriptor is not closed under it.
//
//   _phase     Idle         none is under way
//              Trying       whoever has started it makes the system call
//              Waiting      it has found nothing to do, and PollDesc is set to wait
//              Yielding     it has its result and gives way first: its goroutine has had its share, or it reads on a thread that is none of the
//                           scheduler's. What is done with what was read may block, which does no harm on the scheduler only
//   _claim     who ends what Suspend has begun, with the version that it was given; by compare-and-swap, from Nobody to either
//
//              Nobody       not awaited yet: nothing goes on
//              Awaiter      OnCompleted, for which a goroutine is parked
//              Ender        TryEnd, which gives it a result, or Abandon: a late OnCompleted finds that it is over, or not its own any more
//
// From Trying it gets to Idle where it began. From Waiting and Yielding it gets there by End, on the goroutine that OnCompleted has parked, or by
// TryEnd. Cancel comes from any thread: it ends the wait in PollDesc, and what the wait then means is for TryConclude to say.
internal sealed class ConnectionOperation<TResult>(NetpollConnection connection, PollMode mode, IConnectionOperation<TResult> work)
    : IContinuationWrapper, IValueTaskSource<TResult>
{
    private static readonly Action<object?> s_resume = static operation => ((ConnectionOperation<TResult>)operation!).Resume();
    private static readonly Action<object?> s_end = static operation => ((ConnectionOperation<TResult>)operation!).End();
    private static readonly Action<object?> s_continue = static continuation => ((Continuation)continuation!).Run();
    private static readonly Action<object?> s_cancel = static operation => ((ConnectionOperation<TResult>)operation!).Cancel();

    private volatile Phase _phase;
    private int _claim;
    private short _version;
    private Continuation _continuation;
    private CancellationToken _token;
    private CancellationTokenRegistration _registration;
    private TResult _result = default!;
    private Exception? _failure;

    private enum Phase : byte
    {
        Idle,
        Trying,
        Waiting,
        Yielding,
    }

    private enum Claim : byte
    {
        Nobody,
        Awaiter,
        Ender,
    }

    object? IContinuationWrapper.Argument => _continuation.State;

    private NetConnection Socket => connection.Socket;

    public bool IsUnderWay => _phase != Phase.Idle;

    /// <summary>Runs until there is a result, waiting as often as is needed. One at a time. A failure is the ValueTask's; false in
    /// <paramref name="begun"/> when the connection has been closed, and nothing was tried.</summary>
    public ValueTask<TResult> RunAsync(CancellationToken cancellationToken, out bool begun)
    {
        begun = TryBegin();
        if (!begun)
            return default;
        bool pending = false;
        try
        {
            PollResult poll = PollResult.Ready;
            TResult? result;
            Exception? failure;
            while (!work.TryConclude(poll, cancellationToken, out result, out failure))
            {
                ValueTask<PollResult> wait = Socket.WaitAsync(mode);
                if (!wait.IsCompleted)
                {
                    pending = true;
                    return Suspend(Phase.Waiting, cancellationToken);
                }
                poll = wait.Result;
            }
            if (failure is not null)
                return ValueTask.FromException<TResult>(failure);
            if (!Machine.SpendBudget() && !(mode == PollMode.Read && Machine.OfThisThread?.Scheduler != connection.Scheduler))
                return new ValueTask<TResult>(result);
            pending = true;
            _result = result;
            return Suspend(Phase.Yielding, CancellationToken.None);
        }
        finally
        {
            if (!pending)
                Release();
        }
    }

    /// <summary>As <see cref="RunAsync"/>, where there is no waiting: false when it would have to.</summary>
    public bool TryRun(out TResult result, out Exception? failure, out bool begun)
    {
        result = default!;
        failure = null;
        begun = TryBegin();
        if (!begun)
            return false;
        try
        {
            return work.TryConclude(PollResult.Ready, CancellationToken.None, out result, out failure);
        }
        finally
        {
            Release();
        }
    }

    /// <summary>Ends the wait that is under way, if there is one. Any thread.</summary>
    public void Cancel()
    {
        if (!Socket.TryAddReference())
            return;
        Socket.Desc.Cancel(mode);
        Socket.Release();
    }

    /// <summary>A cancellation has been acted on: it is not for the next wait.</summary>
    public void ClearCancelled()
    {
        if (!Socket.TryAddReference())
            return;
        Socket.Desc.ClearCancelled(mode);
        Socket.Release();
    }

    /// <summary>Ends an operation that was started and never awaited, by who would await it. False when one that is awaited is under way.
    /// </summary>
    public bool Abandon()
    {
        bool ended = TryEnd(default!);
        if (ended)
            _version++;
        return ended;
    }

    /// <summary>Ends an operation that was started and is not awaited yet: whoever is about to gets <paramref name="result"/>. False when it is
    /// awaited, or has not come so far. Any thread.</summary>
    public bool TryEnd(TResult result)
    {
        short version = Volatile.Read(ref _version);
        Phase phase = _phase; // of that version, if it can be claimed
        if (phase == Phase.Idle)
            return true;
        if (phase == Phase.Trying || !TryClaim(version, Claim.Ender))
            return false;
        if (phase == Phase.Waiting)
            _ = Socket.Desc.TakeResult(mode);
        _result = result;
        _failure = null;
        _token = default;
        Release();
        return true;
    }

    private bool TryClaim(short version, Claim claim) =>
        Interlocked.CompareExchange(ref _claim, Claimed(version, claim), Claimed(version, Claim.Nobody)) == Claimed(version, Claim.Nobody);

    private static int Claimed(short version, Claim claim) => ((ushort)version << 2) | (int)claim;

    // An exception in the common case of a closed connection would be for nothing.
    private bool TryBegin()
    {
        if (connection.IsClosed)
            return false;
        try
        {
            Socket.BeginOperation(mode);
            _phase = Phase.Trying;
            Interlocked.MemoryBarrier(); // then the work looks whether it is to go on
            return true;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    private void Release()
    {
        _phase = Phase.Idle;
        Socket.EndOperation(mode);
        work.OnEnded();
    }

    private ValueTask<TResult> Suspend(Phase phase, CancellationToken cancellationToken)
    {
        _failure = null;
        _token = cancellationToken;
        short version = (short)(_version + 1);
        Volatile.Write(ref _version, version);
        Volatile.Write(ref _claim, Claimed(version, Claim.Nobody));
        _phase = phase; // and now TryEnd may come
        return new ValueTask<TResult>(this, version);
    }

    // On a machine: the wait is over.
    private void Resume()
    {
        try
        {
            PollResult poll = Socket.Desc.TakeResult(mode);
            while (!work.TryConclude(poll, _token, out _result, out _failure))
            {
                ValueTask<PollResult> wait = Socket.WaitAsync(mode);
                if (!wait.IsCompleted)
                {
                    Socket.Desc.ParkOnScheduler(mode, s_resume, this);
                    return;
                }
                poll = wait.Result;
            }
        }
        catch (Exception e)
        {
            _failure = e; // no memory for a buffer
        }
        End();
    }

    private void End()
    {
        _registration.Dispose();
        _registration = default;
        _token = default;
        Continuation continuation = _continuation;
        _continuation = default;
        Release();
        continuation.Run();
    }

    // ---- IValueTaskSource ----

    TResult IValueTaskSource<TResult>.GetResult(short token)
    {
        if (GetStatus(token) == ValueTaskSourceStatus.Pending)
            throw new InvalidOperationException("A ValueTask of NetGo cannot be blocked on before it has completed: await it, or use AsTask().");
        TResult result = _result;
        _result = default!;
        _version++; // a second await of the same ValueTask is found out
        if (_failure is { } failure)
            ExceptionDispatchInfo.Throw(failure);
        return result;
    }

    ValueTaskSourceStatus IValueTaskSource<TResult>.GetStatus(short token) => GetStatus(token);

    private ValueTaskSourceStatus GetStatus(short token)
    {
        Check(token);
        if (_phase != Phase.Idle)
            return ValueTaskSourceStatus.Pending;
        return _failure switch
        {
            null => ValueTaskSourceStatus.Succeeded,
            ConnectionAbortedException => ValueTaskSourceStatus.Faulted, // though it is an OperationCanceledException
            OperationCanceledException => ValueTaskSourceStatus.Canceled,
            _ => ValueTaskSourceStatus.Faulted,
        };
    }

    void IValueTaskSource<TResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        Check(token);
        var whatFollows = Continuation.Of(continuation, state, flags);
        if (!TryClaim(token, Claim.Awaiter))
        {
            if (Volatile.Read(ref _claim) != Claimed(token, Claim.Ender))
                throw new InvalidOperationException("A ValueTask was awaited twice.");
            var ending = new SpinWait();
            while (_phase != Phase.Idle)
                ending.SpinOnce();
            Goroutine.YieldOn(connection.Scheduler, s_continue, whatFollows);
            return;
        }
        _continuation = whatFollows;
        if (_phase == Phase.Yielding)
        {
            Goroutine.YieldOn(connection.Scheduler, s_end, this);
            return;
        }
        if (_token.CanBeCanceled)
            _registration = _token.UnsafeRegister(s_cancel, this);
        Socket.Desc.ParkOnScheduler(mode, s_resume, this);
    }

    private void Check(short token)
    {
        if (token != _version)
            throw new InvalidOperationException("A ValueTask was awaited twice, or after its operation had completed.");
    }
}
