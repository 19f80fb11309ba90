namespace NetGo.Scheduler.Tests.Simulations;

/// <summary>What a seed chooses in a program.</summary>
internal sealed class Choices(uint seed)
{
    private readonly Random _random = new((int)seed);

    /// <summary>0 to <paramref name="end"/> - 1.</summary>
    public int Below(int end) => _random.Next(end);

    public bool OneIn(int n) => Below(n) == 0;

    /// <summary>From the first to the last, both included.</summary>
    public int Between(int first, int last) => _random.Next(first, last + 1);

    public T Of<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    public Exception? CauseOrNone() => OneIn(2) ? new InvalidOperationException($"cause {Below(1000)}") : null;

    public TimeSpan Milliseconds(int first, int last) => TimeSpan.FromMilliseconds(Between(first, last));

    /// <summary>Nothing, a yield or a short sleep.</summary>
    public ValueTask PauseAsync() => Below(6) switch
    {
        0 or 1 => Go.YieldAsync(),
        2 => Go.SleepAsync(Milliseconds(1, 4)),
        _ => default,
    };

    /// <summary>Runs an operation with a token that is cancelled after a few milliseconds. False when the operation was.</summary>
    public async Task<bool> GivesUpAsync(Func<CancellationToken, ValueTask> operation)
    {
        var source = new CancellationTokenSource(); // cancelled by a goroutine, perhaps after the operation: not to be disposed of
        using GoTimer timer = Go.AfterFunc(Milliseconds(0, 4), source.Cancel);
        try
        {
            await operation(source.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Runs some goroutines to their end, each with choices of its own. Now and then they are only one, which calls the
    /// bodies and awaits them together afterwards.</summary>
    public async Task TogetherAsync(int goroutines, Func<int, Choices, Task> body)
    {
        Choices[] own = [.. Enumerable.Range(0, goroutines).Select(_ => new Choices((uint)Below(int.MaxValue)))];
        if (OneIn(6))
        {
            await Task.WhenAll(own.Select((choices, index) => body(index, choices)));
            return;
        }
        var group = new WaitGroup();
        for (int i = 0; i < goroutines; i++)
        {
            int index = i;
            group.Go(() => body(index, own[index]));
        }
        await group.WaitAsync();
    }
}
