namespace NetGo.Scheduler.Tests;

public sealed class MillionTimersTests
{
    private sealed class Order
    {
        public long LastWhen;
        public long LastStart;
        public int Fired;
        public int Wrong;
    }

    private sealed class OrderedTimer(Order order, long when, int start) : RuntimeTimer
    {
        private bool _fired;

        public long When => when;

        internal override void Fire(long now)
        {
            bool late = when > order.LastWhen || (when == order.LastWhen && start > order.LastStart);
            if (_fired || !late || when > now)
                order.Wrong++;
            _fired = true;
            order.LastWhen = when;
            order.LastStart = start;
            order.Fired++;
        }
    }

    [Fact]
    public void Of_a_million_the_half_that_is_not_stopped_fires_once_each_in_order()
    {
        const int Count = 1_000_000;
        const int Span = 300_000;
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        var heap = new TimerHeap(scheduler.Processors[0]);
        var other = new TimerHeap(scheduler.Processors[1]);
        var random = new Random(1);
        var order = new Order();
        var timers = new OrderedTimer[Count];
        for (int i = 0; i < Count; i++)
        {
            timers[i] = new OrderedTimer(order, random.Next(1, Span), i);
            heap.Start(timers[i], timers[i].When);
        }
        for (int i = 0; i < Count; i += 2)
            Assert.True(heap.Stop(timers[i]));
        Assert.Equal(Count / 2, heap.Count);
        for (long now = 0; now < Span / 2; now += 997)
            heap.RunDue(now);
        heap.MoveAllTo(other);
        for (long now = Span / 2; now < Span + 997; now += 997)
            other.RunDue(now);
        Assert.Equal((Count / 2, 0), (order.Fired, order.Wrong));
        Assert.Equal((0, 0), (heap.Count, other.Count));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task By_the_real_clock_each_function_runs_once_or_was_stopped(int processors)
    {
        const int Count = 100_000;
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        int[] runs = new int[Count];
        bool[] stopped = new bool[Count];
        await scheduler.RunAsync(async () =>
        {
            var random = new Random(processors);
            var timers = new GoTimer[Count];
            for (int i = 0; i < Count; i++)
            {
                int n = i;
                timers[i] = Go.AfterFunc(TimeSpan.FromMicroseconds(random.Next(300_000)), () => Interlocked.Increment(ref runs[n]));
            }
            for (int i = 0; i < Count; i += 2)
                stopped[i] = timers[i].Stop();
            await Go.SleepAsync(TimeSpan.FromMilliseconds(300));
        }).Within();
        Bounded.Until(() => scheduler.Processors.ToArray().Sum(p => p.Timers.Count) == 0, "the timers");
        Bounded.NoneLeft(scheduler);
        Bounded.Until(() => Enumerable.Range(0, Count).All(i => Volatile.Read(ref runs[i]) + (stopped[i] ? 1 : 0) == 1), "one end for each timer");
    }
}
