using System.Threading.Tasks.Sources;

namespace NetGo;

/// <summary>Waits for a number of goroutines to finish; Go's sync.WaitGroup. All members may be used from any thread.</summary>
public sealed class WaitGroup
{
    private readonly Lock _lock = new();
    private long _count;
    private Waiter? _waiters;

    /// <summary>Adds to the counter, before the goroutines that it stands for are spawned.</summary>
    /// <param name="delta">May be negative.</param>
    /// <exception cref="InvalidOperationException">The counter would become negative.</exception>
    public void Add(int delta)
    {
        long count = Interlocked.Add(ref _count, delta);
        if (count < 0)
        {
            Interlocked.Add(ref _count, -(long)delta);
            throw new InvalidOperationException("Negative WaitGroup counter: Done was called more often than Add announced.");
        }
        if (count == 0)
            Release();
    }

    /// <summary>Takes one from the counter.</summary>
    /// <exception cref="InvalidOperationException">The counter would become negative.</exception>
    public void Done() => Add(-1);

    /// <summary>Spawns a goroutine that the group waits for; Go's WaitGroup.Go.</summary>
    /// <param name="body">What it runs.</param>
    public void Go(Func<Task> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        Add(1);
        NetGo.Go.Spawn(async () =>
        {
            try
            {
                await body().ConfigureAwait(false);
            }
            finally
            {
                Done();
            }
        });
    }

    /// <summary>Waits until the counter is zero.</summary>
    public ValueTask WaitAsync() => Volatile.Read(ref _count) == 0 ? default : new ValueTask(new Waiter(this), 0);

    private void Release()
    {
        Waiter? waiter;
        lock (_lock)
        {
            if (Volatile.Read(ref _count) != 0)
                return;
            waiter = _waiters;
            _waiters = null;
        }
        while (waiter is not null)
        {
            Waiter? next = waiter.Next;
            Goroutine g = waiter.Goroutine!;
            g.Scheduler.Ready(g, next: true);
            waiter = next;
        }
    }

    private sealed class Waiter(WaitGroup group) : IValueTaskSource
    {
        public Waiter? Next;
        public Goroutine? Goroutine;
        private bool _awaited;

        public ValueTaskSourceStatus GetStatus(short token) => _awaited ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Pending;

        public void GetResult(short token)
        {
            if (!_awaited)
                throw new InvalidOperationException("A ValueTask of NetGo cannot be blocked on before it has completed: await it, or use AsTask().");
        }

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        {
            if (_awaited)
                throw new InvalidOperationException("A ValueTask was awaited twice.");
            _awaited = true;
            Goroutine g = NetGo.Goroutine.Park(continuation, state, WaitReason.WaitGroup);
            lock (group._lock)
            {
                if (Volatile.Read(ref group._count) != 0)
                {
                    Goroutine = g;
                    Next = group._waiters;
                    group._waiters = this;
                    return;
                }
            }
            g.Scheduler.Ready(g, next: false);
        }
    }
}
