using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace NetGo.Scheduler.Tests;

public sealed class GoroutineWatchTests
{
    private readonly RecordingLogger _log = new();

    [Fact]
    public void A_long_wait_is_reported_once_with_where_it_was_spawned_and_waits()
    {
        using GoScheduler scheduler = New(longWait: 200, deadlockAfter: -1);
        Channel<int> channel = Channel.Make<int>();
        for (int i = 0; i < 3; i++)
            scheduler.Spawn(() => WaitAsync(channel));
        scheduler.Spawn(async () => await Go.SleepAsync(TimeSpan.FromDays(1))); // is told how long
        Bounded.Until(() => Count("have waited for longer than") == 3, "all three are reported");
        Thread.Sleep(500);
        string[] reports = [.. _log.Messages];
        Assert.Equal(3, Count("have waited for longer than"));
        Assert.All(reports, r => Assert.Contains("goroutines spawned at GoroutineWatchTests.cs:", r));
        Assert.All(reports, r => Assert.Contains($"[channel receive]:\n{typeof(GoroutineWatchTests).FullName}.WaitAsync(...)\n", r));
        channel.Close();

        // Of several that are seen at the same time there is one report.
        int Count(string text) => _log.Messages.Where(m => m.Contains(text)).Sum(m => int.Parse(m.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Goroutines_that_wait_for_each_other_are_reported_once()
    {
        using GoScheduler scheduler = New(longWait: -1, deadlockAfter: 200);
        GoMutex a = new(), b = new();
        _ = scheduler.RunAsync(async () => await Task.WhenAny(scheduler.RunAsync(() => LockBothAsync(a, b)))); // WhenAny is foreign: silent
        Thread.Sleep(600);
        Assert.Empty(_log.Messages);
        using GoScheduler other = New(longWait: -1, deadlockAfter: 200);
        GoMutex c = new(), d = new();
        _ = other.RunAsync(async () =>
        {
            Task first = other.RunAsync(() => LockBothAsync(c, d));
            Task second = other.RunAsync(() => LockBothAsync(d, c));
            await first;
            await second;
        });
        Bounded.Until(() => !_log.Messages.IsEmpty, "the dead-lock is reported");
        Thread.Sleep(500);
        string report = Assert.Single(_log.Messages);
        Assert.StartsWith("All goroutines are asleep - deadlock!", report);
        Assert.Equal(2, report.Split("[mutex]:").Length - 1);
        Assert.Contains("GoroutineWatchTests.cs:", report);
    }

    [Fact]
    public void What_something_else_will_wake_is_no_deadlock()
    {
        Channel<int> never = Channel.Make<int>();
        var foreign = new TaskCompletionSource();
        List<GoScheduler> schedulers = [.. Enumerable.Range(0, 4).Select(_ => New(longWait: -1, deadlockAfter: 400))];
        schedulers[0].Spawn(async () => await Go.SleepAsync(TimeSpan.FromDays(1)));
        schedulers[1].Spawn(() => foreign.Task);
        using var end = new ManualResetEventSlim();
        schedulers[2].Spawn(() => end.Wait());
        // This thread feeds goroutines, so it may again.
        Channel<int> fed = Channel.Make<int>();
        schedulers[3].Spawn(async () => await fed.ReceiveAsync());
        // What is sent before it has parked does not wake it.
        Bounded.Until(() => schedulers[3].Goroutines().Any(g => g.Status == GoroutineStatus.Waiting), "it waits");
        Thread.Sleep(20);
        Bounded.Until(() => fed.TrySend(1), "it is fed");
        foreach (GoScheduler scheduler in schedulers)
            scheduler.Spawn(async () => await never.ReceiveAsync());
        Thread.Sleep(1_200);
        Assert.True(_log.Messages.IsEmpty, string.Join("\n", _log.Messages));
        end.Set();
        foreign.SetResult();
        never.Close();
        schedulers.ForEach(s => s.Dispose());
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new GoScheduler(new SchedulerOptions { LongWait = TimeSpan.Zero }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GoScheduler(new SchedulerOptions { DeadlockAfter = TimeSpan.FromSeconds(-2) }));
    }

    private static async Task WaitAsync(Channel<int> channel) => await channel.ReceiveAsync();

    private static async Task LockBothAsync(GoMutex first, GoMutex second)
    {
        await first.LockAsync();
        await Go.SleepAsync(TimeSpan.FromMilliseconds(50));
        await second.LockAsync();
    }

    private GoScheduler New(int longWait, int deadlockAfter) => new(new SchedulerOptions
    {
        MaxProcs = 1,
        LongWait = TimeSpan.FromMilliseconds(longWait),
        DeadlockAfter = TimeSpan.FromMilliseconds(deadlockAfter),
        Logger = _log,
    });

    private sealed class RecordingLogger : ILogger
    {
        public ConcurrentQueue<string> Messages { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Messages.Enqueue(formatter(state, exception));
    }
}
