namespace NetGo.Scheduler.Tests;

public sealed class TimerHeapTests(ITestOutputHelper output)
{
    private sealed class Recorder(List<Recorder> fired, long when) : RuntimeTimer
    {
        public long When => when;

        internal override void Fire(long now)
        {
            Assert.True(when <= now);
            fired.Add(this);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Fires_in_order_of_time_what_is_due_and_was_not_stopped(int seed)
    {
        output.WriteLine($"seed {seed}");
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var heap = new TimerHeap(scheduler.Processors[0]);
        var random = new Random(seed);
        var fired = new List<Recorder>();
        var pending = new List<Recorder>();
        long now = 0;
        for (int i = 0; i < 3000; i++)
        {
            int what = random.Next(10);
            if (what < 6)
            {
                var timer = new Recorder(fired, now + random.Next(0, 1000));
                pending.Add(timer);
                heap.Start(timer, timer.When);
            }
            else if (what < 8 && pending.Count > 0)
            {
                Recorder timer = pending[random.Next(pending.Count)];
                pending.Remove(timer);
                Assert.True(heap.Stop(timer));
                Assert.False(heap.Stop(timer));
            }
            else
            {
                now += random.Next(0, 100);
                fired.Clear();
                heap.RunDue(now);
                long[] expected = [.. pending.Where(t => t.When <= now).Select(t => t.When).Order()];
                Assert.Equal(expected, fired.Select(t => t.When));
                Assert.All(fired, t => Assert.False(heap.Stop(t)));
                pending.RemoveAll(t => t.When <= now);
            }
            Assert.Equal(pending.Count, heap.Count);
            Assert.Equal(pending.Count == 0 ? long.MaxValue : pending.Min(t => t.When), heap.NextWhen);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Equal_times_fire_in_the_order_of_their_starts(int seed)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var heap = new TimerHeap(scheduler.Processors[0]);
        var random = new Random(seed);
        var fired = new List<Recorder>();
        var expected = new List<Recorder>();
        var all = Enumerable.Range(0, 500).Select(_ => new Recorder(fired, random.Next(1, 5))).ToArray();
        foreach (Recorder timer in all)
            heap.Start(timer, timer.When);
        expected.AddRange(all);
        foreach (Recorder timer in all.Where(_ => random.Next(4) == 0))
        {
            Assert.True(heap.Reset(timer, timer.When)); // the last to be started from here on
            expected.Remove(timer);
            expected.Add(timer);
        }
        foreach (Recorder timer in all.Where(_ => random.Next(4) == 0))
        {
            Assert.True(heap.Stop(timer));
            expected.Remove(timer);
        }
        heap.RunDue(5);
        Assert.Equal(expected.OrderBy(t => t.When), fired); // a stable sort
    }

    [Fact]
    public void Reset_moves_a_pending_timer_and_starts_one_that_is_not()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var heap = new TimerHeap(scheduler.Processors[0]);
        var fired = new List<Recorder>();
        var timer = new Recorder(fired, 0);
        var other = new Recorder(fired, 0);
        Assert.False(heap.Reset(timer, 30));
        heap.Start(other, 20);
        Assert.True(heap.Reset(timer, 10));
        Assert.Equal(10, heap.NextWhen);
        Assert.True(heap.Reset(timer, 40));
        Assert.Equal((20, 2), (heap.NextWhen, heap.Count));
        heap.RunDue(40);
        Assert.Equal([other, timer], fired);
        Assert.False(heap.Reset(timer, 50));
        Assert.Equal(50, heap.NextWhen);
    }

    [Fact]
    public void A_timer_that_was_never_started_cannot_be_stopped()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        Assert.False(new TimerHeap(scheduler.Processors[0]).Stop(new Recorder([], 0)));
    }

    [Fact]
    public void A_timer_may_be_started_again_from_its_own_firing()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var heap = new TimerHeap(scheduler.Processors[0]);
        var timer = new Repeater(heap);
        heap.Start(timer, 10);
        heap.RunDue(35);
        Assert.Equal(3, timer.Fired);
        Assert.Equal(40, heap.NextWhen);
    }

    private sealed class Repeater(TimerHeap heap) : RuntimeTimer
    {
        private long _when = 10;

        public int Fired { get; private set; }

        internal override void Fire(long now)
        {
            Fired++;
            heap.Start(this, _when += 10);
        }
    }
}
