namespace NetGo.Scheduler.Tests.Simulations;

internal enum Ending
{
    Undecided,
    Done,
    Closed,
    Canceled,
}

/// <summary>How the model says that an operation ends.</summary>
internal sealed class Expected
{
    public Ending Ending { get; set; }

    /// <summary>What it sends, takes or has received; the meaning is the model's.</summary>
    public int Value { get; set; }
}

/// <summary>The operations of a program that are under way, beside what a model says of them. An operation and the step of its
/// model happen together: nothing else runs between.</summary>
internal sealed class Ledger
{
    private readonly List<Expected> _underWay = [];
    private readonly List<(CancellationTokenSource Source, Action Model)> _cancellations = [];
    private int _actors;

    /// <summary>A token for the next operation, which anyone may cancel from then on; none, mostly.</summary>
    /// <param name="choices">Chooses.</param>
    /// <param name="cancelInModel">The model's step for the cancellation.</param>
    public CancellationToken TokenOrNone(Choices choices, Action cancelInModel)
    {
        if (!choices.OneIn(3))
            return default;
        var source = new CancellationTokenSource();
        _cancellations.Add((source, cancelInModel));
        return source.Token;
    }

    public void CancelOne(Choices choices)
    {
        if (_cancellations.Count == 0)
            return;
        int index = choices.Below(_cancellations.Count);
        (CancellationTokenSource source, Action model) = _cancellations[index];
        _cancellations.RemoveAt(index);
        model();
        source.Cancel();
    }

    /// <summary>Awaits an operation and compares its end with the model's. Who awaits late finds the same.</summary>
    public Task<Ending> FollowAsync(ValueTask operation, Expected expected, Choices choices) =>
        FollowAsync(async () => await operation, expected, choices);

    /// <inheritdoc cref="FollowAsync(ValueTask, Expected, Choices)"/>
    public async Task<Ending> FollowAsync(Func<Task> awaits, Expected expected, Choices choices)
    {
        _underWay.Add(expected);
        if (choices.OneIn(3))
            await Go.YieldAsync();
        Ending ending;
        try
        {
            await awaits();
            ending = Ending.Done;
        }
        catch (ChannelClosedException)
        {
            ending = Ending.Closed;
        }
        catch (OperationCanceledException)
        {
            ending = Ending.Canceled;
        }
        Assert.True(_underWay.Remove(expected));
        Assert.Equal(expected.Ending, ending);
        return ending;
    }

    /// <summary>Runs the actors of a program. Each time that none can go on, no operation that the model says has ended may be
    /// under way; then <paramref name="release"/> has to bring things on.</summary>
    public async Task RunAsync(Choices choices, int actors, Func<int, Choices, Task> body, Action check, Action release)
    {
        _actors = actors;
        for (int i = 0; i < actors; i++)
        {
            int index = i;
            var own = new Choices((uint)choices.Below(int.MaxValue));
            Go.Spawn(async () =>
            {
                await body(index, own);
                _actors--;
            });
        }
        while (true)
        {
            await Simulation.WaitAsync();
            Assert.All(_underWay, static expected => Assert.Equal(Ending.Undecided, expected.Ending));
            check();
            if (_actors == 0)
                break;
            if (_underWay.Count == _actors)
                release();
            else
                await Go.SleepAsync(TimeSpan.FromMilliseconds(1)); // someone sleeps
        }
        Assert.Empty(_underWay);
    }
}
