namespace NetGo.Scheduler.Tests;

/// <summary>A scheduler with one processor whose clock moves only when a test says so.</summary>
internal sealed class ManualTime : IDisposable
{
    public static readonly DateTimeOffset Epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Clock _clock = new();

    public ManualTime() => Scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1, TimeProvider = _clock });

    public GoScheduler Scheduler { get; }

    public TimerHeap Heap => Scheduler.Processors[0].Timers;

    public DateTimeOffset UtcNow => _clock.GetUtcNow();

    /// <summary>Moves the clock and fires what is due by that, at most a dozen timers, before it returns.</summary>
    public void Advance(int milliseconds)
    {
        // Sysmon may give the processor to another machine, which then takes what is due: all of it in one batch, and this last.
        var last = new Marker();
        long now = Scheduler.Now() + milliseconds * 1_000_000L;
        Heap.Start(last, now);
        _clock.Move(milliseconds * 1_000_000L);
        Heap.RunDue(now);
        Bounded.Until(() => last.Fired, "the timers");
    }

    /// <summary>Lets other goroutines run until they have done something.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        for (long start = Environment.TickCount64; !condition(); await Go.YieldAsync())
            Assert.True(Environment.TickCount64 - start < Bounded.Limit.TotalMilliseconds, $"Not in time: {what}");
    }

    private sealed class Marker : RuntimeTimer
    {
        private volatile bool _fired;

        public bool Fired => _fired;

        internal override void Fire(long now) => _fired = true;
    }

    /// <summary>Runs a test as a goroutine: the timers that it makes are this scheduler's.</summary>
    public Task RunAsync(Func<Task> test) => Scheduler.RunAsync(test).Within();

    public void Dispose() => Scheduler.Dispose();

    private sealed class Clock : TimeProvider
    {
        private long _now = 1_000_000_000;

        public override long TimestampFrequency => 1_000_000_000;

        public override long GetTimestamp() => Volatile.Read(ref _now);

        public override DateTimeOffset GetUtcNow() => Epoch + TimeSpan.FromTicks((GetTimestamp() - 1_000_000_000) / 100);

        public void Move(long nanoseconds) => Interlocked.Add(ref _now, nanoseconds);
    }
}
