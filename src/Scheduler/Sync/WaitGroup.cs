using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace NetGo;

/// <summary>Waits for a number of goroutines to finish; Go's sync.WaitGroup. All members may be used from any thread.</summary>
public sealed class WaitGroup
{
    private readonly Lock _lock = new();
    private long _count;
    private Waiter? _firstWaiter;
    private Waiter? _lastWaiter;

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
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public void Go(Func<Task> body, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(body);
        Add(1);
        NetGo.Go.Spawn(() => RunAsync(body), file, line);
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

    /// <summary>Waits until the counter is zero.</summary>
    public ValueTask WaitAsync() => Volatile.Read(ref _count) == 0 ? default : new ValueTask(new Waiter(this), 0);

    private void Release()
    {
        Waiter? waiter;
        lock (_lock)
        {
            if (Volatile.Read(ref _count) != 0)
                return;
            waiter = _firstWaiter;
            _firstWaiter = null;
            _lastWaiter = null;
        }
        // The first one runs next, the others follow in order.
        for (bool first = true; waiter is not null; first = false)
        {
            Waiter? next = waiter.Next;
            Goroutine g = waiter.Goroutine!;
            g.Scheduler.Ready(g, next: first);
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
            Goroutine g = NetGo.Goroutine.Park(continuation, state, WaitReason.WaitGroup, flags);
            lock (group._lock)
            {
                if (Volatile.Read(ref group._count) != 0)
                {
                    Goroutine = g;
                    if (group._lastWaiter is null)
                        group._firstWaiter = this;
                    else
                        group._lastWaiter.Next = this;
                    group._lastWaiter = this;
                    return;
                }
            }
            g.Scheduler.Ready(g, next: false);
        }
    }
}
