namespace NetGo.Scheduler.Tests;

public sealed class RunQueueTests(ITestOutputHelper output)
{
    private static Goroutine[] Make(int count) => [.. Enumerable.Range(0, count).Select(_ => new Goroutine(null!))];

    private static List<Goroutine> Drain(RunQueue queue)
    {
        var all = new List<Goroutine>();
        while (queue.TryGet() is { } g)
            all.Add(g);
        return all;
    }

    private static List<Goroutine> Drain(GoroutineQueue queue)
    {
        var all = new List<Goroutine>();
        while (queue.PopFront() is { } g)
            all.Add(g);
        return all;
    }

    [Fact]
    public void First_in_first_out_and_full_at_capacity()
    {
        var queue = new RunQueue();
        Assert.Null(queue.TryGet());
        Goroutine[] all = Make(RunQueue.Capacity);
        foreach (Goroutine g in all)
            Assert.True(queue.TryPut(g));
        Assert.Equal(RunQueue.Capacity, queue.Count);
        Assert.False(queue.TryPut(new Goroutine(null!)));
        Assert.Equal(all, Drain(queue));
        Assert.Equal(0, queue.Count);
    }

    [Fact]
    public void Overflow_takes_the_older_half_of_a_full_ring_only()
    {
        var queue = new RunQueue();
        Goroutine[] all = Make(RunQueue.Capacity);
        foreach (Goroutine g in all[..^1])
            queue.TryPut(g);
        GoroutineQueue overflow = default;
        Assert.False(queue.TakeHalfForOverflow(ref overflow));
        queue.TryPut(all[^1]);
        Assert.True(queue.TakeHalfForOverflow(ref overflow));
        Assert.Equal(RunQueue.Capacity / 2, overflow.Count);
        Assert.Equal(all[..(RunQueue.Capacity / 2)], Drain(overflow));
        Assert.Equal(all[(RunQueue.Capacity / 2)..], Drain(queue));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(5, 3)]
    [InlineData(256, 128)]
    public void A_thief_takes_the_older_half_rounded_up(int length, int taken)
    {
        RunQueue victim = new(), thief = new();
        Goroutine[] all = Make(length);
        foreach (Goroutine g in all)
            victim.TryPut(g);
        Goroutine? toRun = victim.StealHalfInto(thief);
        Assert.Same(all[taken - 1], toRun);
        Assert.Equal(all[..(taken - 1)], Drain(thief));
        Assert.Equal(all[taken..], Drain(victim));
    }

    [Fact]
    public void Nothing_is_stolen_from_an_empty_ring()
    {
        Assert.Null(new RunQueue().StealHalfInto(new RunQueue()));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_indices_may_wrap_around(int seed)
    {
        // As many operations as bring the ring round many times, against a plain queue.
        var random = new Random(seed);
        RunQueue queue = new(), thief = new();
        var model = new Queue<Goroutine>();
        Goroutine[] all = Make(1000);
        int next = 0;
        for (int i = 0; i < 20_000; i++)
        {
            switch (random.Next(10))
            {
                case < 6 when model.Count < RunQueue.Capacity:
                    Assert.True(queue.TryPut(all[next]));
                    model.Enqueue(all[next]);
                    next = (next + 1) % all.Length;
                    break;
                case < 9:
                    Assert.Same(model.TryDequeue(out Goroutine? expected) ? expected : null, queue.TryGet());
                    break;
                default:
                    int half = model.Count - model.Count / 2;
                    Goroutine? last = queue.StealHalfInto(thief);
                    List<Goroutine> stolen = Drain(thief);
                    if (last is not null)
                        stolen.Add(last);
                    Assert.Equal(Enumerable.Range(0, half).Select(_ => model.Dequeue()), stolen);
                    break;
            }
            Assert.Equal(model.Count, queue.Count);
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    public void With_one_owner_and_thieves_none_is_lost_or_taken_twice(int thieves, int seed)
    {
        output.WriteLine($"seed {seed}");
        const int Count = 400_000;
        var queue = new RunQueue();
        var numbers = new Dictionary<Goroutine, int>(Count);
        Goroutine[] all = Make(Count);
        for (int i = 0; i < Count; i++)
            numbers[all[i]] = i;
        int[] taken = new int[Count];
        int total = 0;
        bool overdue = false;
        Exception? failure = null;
        void Took(Goroutine g)
        {
            Interlocked.Increment(ref taken[numbers[g]]);
            Interlocked.Increment(ref total);
        }
        Thread[] threads = new Thread[thieves];
        for (int t = 0; t < thieves; t++)
        {
            threads[t] = new Thread(() =>
            {
                var own = new RunQueue();
                try
                {
                    while (Volatile.Read(ref total) < Count && !Volatile.Read(ref overdue))
                    {
                        if (queue.StealHalfInto(own) is { } g)
                        {
                            Took(g);
                            while (own.TryGet() is { } more)
                                Took(more);
                        }
                    }
                }
                catch (Exception e)
                {
                    failure = e;
                }
            })
            { IsBackground = true };
            threads[t].Start();
        }
        var random = new Random(seed);
        int next = 0;
        while (next < Count)
        {
            for (int burst = random.Next(1, 400); burst > 0 && next < Count; burst--)
            {
                if (queue.TryPut(all[next]))
                {
                    next++;
                    continue;
                }
                GoroutineQueue overflow = default;
                if (queue.TakeHalfForOverflow(ref overflow))
                {
                    foreach (Goroutine g in Drain(overflow))
                        Took(g);
                }
            }
            for (int gets = random.Next(0, 300); gets > 0 && queue.TryGet() is { } g; gets--)
                Took(g);
        }
        for (int i = 0; i < Count && queue.TryGet() is { } g; i++)
            Took(g);
        bool inTime = SpinWait.SpinUntil(() => Volatile.Read(ref total) >= Count, Bounded.Limit);
        Volatile.Write(ref overdue, true);
        foreach (Thread thread in threads)
            Assert.True(thread.Join(Bounded.Limit));
        Assert.Null(failure);
        Assert.All(taken.Distinct(), n => Assert.Equal(1, n));
        Assert.True(inTime);
    }
}
