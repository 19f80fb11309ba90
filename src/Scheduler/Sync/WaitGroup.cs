using System.Runtime.CompilerServices;

namespace NetGo;

/// <summary>Waits for a number of goroutines to finish; Go's sync.WaitGroup. All members may be used from any thread. It can be
/// used again at any time, even before those who waited have run on: whoever calls <see cref="WaitAsync"/> waits until the counter
/// is zero for the first time from then on.</summary>
public sealed class WaitGroup : IWaiterOwner
{
    // Guards all. The counter is zero only while nobody waits.
    private SpinMutex _lock;
    private long _count;
    private WaiterQueue<GrantWaiter> _waiters;

    /// <summary>Adds to the counter, before the goroutines that it stands for are spawned.</summary>
    /// <param name="delta">May be negative.</param>
    /// <exception cref="InvalidOperationException">The counter would become negative. It is unchanged.</exception>
    public void Add(int delta)
    {
        WaiterQueue<GrantWaiter> released = default;
        _lock.Enter();
        long count = _count + delta;
        if (count >= 0)
            _count = count;
        if (count == 0)
            released = _waiters.TakeAll(out _);
        _lock.Exit();
        if (count < 0)
            throw new InvalidOperationException("Negative WaitGroup counter: Done was called more often than Add announced.");
        GrantWaiter.GrantAll(ref released);
    }

    /// <summary>Takes one from the counter.</summary>
    /// <exception cref="InvalidOperationException">The counter would become negative. It is unchanged.</exception>
    public void Done() => Add(-1);

    /// <summary>Spawns a goroutine that the group waits for; Go's WaitGroup.Go.</summary>
    /// <param name="body">What it runs. The group counts it as done also when it throws; the exception is treated as that of any
    /// goroutine.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public void Go(Func<Task> body, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(body);
        Add(1);
        NetGo.Go.Spawn(() => RunAsync(body), file, line);
    }

    /// <summary>Spawns a goroutine that never parks and that the group waits for; Go's WaitGroup.Go.</summary>
    /// <param name="body">What it runs. The group counts it as done also when it throws; the exception is treated as that of any
    /// goroutine.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public void Go(Action body, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(body);
        Add(1);
        NetGo.Go.Spawn(() => Run(body), file, line);
    }

    private async Task RunAsync(Func<Task> body)
    {
        try
        {
            await body();
        }
        finally
        {
            Done();
        }
    }

    private void Run(Action body)
    {
        try
        {
            body();
        }
        finally
        {
            Done();
        }
    }

    /// <summary>Waits until the counter is zero. The wait begins with this call; the result is to be awaited once.</summary>
    /// <param name="cancellationToken">Ends the wait. The counter and the others who wait are not touched.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled before the counter was zero.</exception>
    public ValueTask WaitAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        GrantWaiter? waiter = null;
        _lock.Enter();
        if (_count != 0)
        {
            waiter = GrantWaiter.Rent(this, WaitReason.WaitGroup);
            _waiters.PushBack(waiter);
        }
        _lock.Exit();
        if (waiter is not null)
            return waiter.WaitAsync(cancellationToken);
        return Machine.SpendBudget() ? NetGo.Go.YieldAsync() : default;
    }

    bool IWaiterOwner.TryWithdraw(GrantWaiter waiter)
    {
        _lock.Enter();
        bool withdrawn = _waiters.TryRemove(waiter);
        _lock.Exit();
        return withdrawn;
    }
}
