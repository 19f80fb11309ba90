namespace NetGo;

// Pending: nobody has come yet. Running: the first runs its function, the others wait. Done: the function has ended, in
// whatever way. Pending to Running to Done, both under _lock; Done is read without.

/// <summary>Runs one function, once; Go's sync.Once. The first caller runs its function; those who come meanwhile wait until it has
/// ended, and then, like all who come later, return without running theirs. All members may be used from any thread. Waiting holds
/// no thread. A function that calls its own Once waits for ever.</summary>
public sealed class Once : IWaiterOwner
{
    private const int Pending = 0;
    private const int Running = 1;
    private const int Done = 2;

    private int _state;
    private SpinMutex _lock;
    private WaiterQueue<GrantWaiter> _waiters;

    /// <summary>Whether the function has ended.</summary>
    public bool IsDone => Volatile.Read(ref _state) == Done;

    /// <summary>Runs the function if this is the first call, and waits for the first call's function to end. The wait begins with
    /// this call; the result is to be awaited once.</summary>
    /// <param name="function">What to run. When it throws, it has been run: the first caller gets the exception, the others none.
    /// </param>
    /// <param name="cancellationToken">Ends the wait for another's function; it has no effect on a function that runs.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled before another's function had ended.</exception>
    public ValueTask DoAsync(Func<Task> function, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(function);
        return TryBegin(cancellationToken, out ValueTask wait) ? new ValueTask(RunAsync(function)) : wait;
    }

    /// <summary>Runs the function, which does not wait, if this is the first call, and waits for the first call's function to end.
    /// The wait begins with this call; the result is to be awaited once.</summary>
    /// <param name="function">What to run, before this returns. When it throws, it has been run: the first caller gets the exception,
    /// the others none.</param>
    /// <param name="cancellationToken">Ends the wait for another's function; it has no effect on a function that runs.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled before another's function had ended.</exception>
    public ValueTask DoAsync(Action function, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(function);
        if (!TryBegin(cancellationToken, out ValueTask wait))
            return wait;
        try
        {
            function();
            return default;
        }
        catch (Exception e)
        {
            return ValueTask.FromException(e);
        }
        finally
        {
            End();
        }
    }

    private async Task RunAsync(Func<Task> function)
    {
        try
        {
            await function();
        }
        finally
        {
            End();
        }
    }

    /// <summary>True when the caller is the first and has to run its function, then <see cref="End"/>.</summary>
    private bool TryBegin(CancellationToken cancellationToken, out ValueTask wait)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            wait = ValueTask.FromCanceled(cancellationToken);
            return false;
        }
        GrantWaiter? waiter = null;
        bool first = false;
        if (!IsDone)
        {
            _lock.Enter();
            first = _state == Pending;
            if (first)
                _state = Running;
            else if (_state == Running)
                _waiters.PushBack(waiter = GrantWaiter.Rent(this, WaitReason.Once));
            _lock.Exit();
        }
        if (waiter is not null)
            wait = waiter.WaitAsync(cancellationToken);
        else
            wait = !first && Machine.SpendBudget() ? Go.YieldAsync() : default;
        return first;
    }

    private void End()
    {
        _lock.Enter();
        Volatile.Write(ref _state, Done);
        WaiterQueue<GrantWaiter> released = _waiters.TakeAll(out _);
        _lock.Exit();
        GrantWaiter.GrantAll(ref released);
    }

    bool IWaiterOwner.TryWithdraw(GrantWaiter waiter)
    {
        _lock.Enter();
        bool withdrawn = _waiters.TryRemove(waiter);
        _lock.Exit();
        return withdrawn;
    }
}
