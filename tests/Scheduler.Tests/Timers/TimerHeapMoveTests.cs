namespace NetGo.Scheduler.Tests;

public sealed class TimerHeapMoveTests : IDisposable
{
    private readonly ITestOutputHelper _output;
    private readonly GoScheduler _scheduler = Bounded.NewScheduler(3);
    private readonly TimerHeap[] _heaps;

    public TimerHeapMoveTests(ITestOutputHelper output)
    {
        _output = output;
        _heaps = [.. _scheduler.Processors.ToArray().Select(p => new TimerHeap(p))];
    }

    public void Dispose() => _scheduler.Dispose();

    private sealed class Counter : RuntimeTimer
    {
        private int _fired;

        public int Fired => Volatile.Read(ref _fired);

        /// <summary>How many of its starts have not been withdrawn. Of the thread that uses it.</summary>
        public int Started { get; set; }

        internal override void Fire(long now) => Interlocked.Increment(ref _fired);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void All_timers_move_and_fire_in_order_where_they_are_now(int from, int to)
    {
        TimerHeap source = _heaps[from];
        TimerHeap target = _heaps[to];
        var fired = new List<long>();
        for (int i = 0; i < 100; i++)
        {
            source.Start(new Recorder(fired, i * 37 % 100), i * 37 % 100);
            target.Start(new Recorder(fired, i * 41 % 100), i * 41 % 100);
        }
        source.MoveAllTo(target);
        Assert.Equal((0, long.MaxValue), (source.Count, source.NextWhen));
        Assert.Equal((200, 0), (target.Count, target.NextWhen));
        source.RunDue(1000);
        Assert.Empty(fired);
        target.RunDue(1000);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (long)i / 2), fired);
    }

    private sealed class Recorder(List<long> fired, long when) : RuntimeTimer
    {
        internal override void Fire(long now) => fired.Add(when);
    }

    [Fact]
    public void Equal_times_that_moved_keep_their_order_and_come_before_later_starts()
    {
        var fired = new List<long>();
        for (int i = 0; i < 50; i++)
            _heaps[0].Start(new Recorder(fired, i), 7);
        _heaps[0].MoveAllTo(_heaps[1]);
        for (int i = 50; i < 60; i++)
            _heaps[1].Start(new Recorder(fired, i), 7);
        _heaps[1].RunDue(7);
        Assert.Equal(Enumerable.Range(0, 60).Select(i => (long)i), fired);
    }

    [Fact]
    public void What_is_started_later_is_forwarded_until_it_stops()
    {
        _heaps[0].MoveAllTo(_heaps[1]);
        var timer = new Counter();
        _heaps[0].Start(timer, 5);
        Assert.Same(_heaps[1], timer.Heap);
        Assert.Equal((0, 1), (_heaps[0].Count, _heaps[1].Count));

        _heaps[1].MoveAllTo(_heaps[2]); // a chain of two
        var second = new Counter();
        _heaps[0].Reset(second, 6);
        Assert.Equal((0, 0, 2), (_heaps[0].Count, _heaps[1].Count, _heaps[2].Count));

        _heaps[0].StopForwarding();
        _heaps[0].Start(new Counter(), 7);
        Assert.Equal((1, 0, 2), (_heaps[0].Count, _heaps[1].Count, _heaps[2].Count));
    }

    [Fact]
    public void A_timer_that_moved_can_be_stopped_and_reset_by_way_of_its_old_heap()
    {
        var timer = new Counter();
        var other = new Counter();
        _heaps[0].Start(timer, 5);
        _heaps[0].Start(other, 6);
        _heaps[0].MoveAllTo(_heaps[1]);
        Assert.True(_heaps[0].Reset(timer, 50));
        Assert.Equal(6, _heaps[1].NextWhen);
        Assert.True(_heaps[0].Stop(other));
        Assert.Equal((0, 1, 50), (_heaps[0].Count, _heaps[1].Count, _heaps[1].NextWhen));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void A_processor_that_gets_timers_in_its_sleep_runs_them(int from, int to)
    {
        TimerHeap source = _scheduler.Processors[from].Timers;
        TimerHeap target = _scheduler.Processors[to].Timers;
        for (int i = 0; i < 5; i++)
        {
            Bounded.Until(() => _scheduler.AllIdle, "idle processors");
            var timer = new Counter();
            source.Start(timer, _scheduler.TimeAfter(TimeSpan.FromMilliseconds(20)));
            source.MoveAllTo(target);
            Bounded.Until(() => timer.Fired == 1, "the timer");
            source.StopForwarding();
        }
    }

    [Fact]
    public void A_heap_that_forwards_takes_no_timers()
    {
        _heaps[0].MoveAllTo(_heaps[1]);
        var timer = new Counter();
        _heaps[1].Start(timer, 5);
        Assert.Throws<InvalidOperationException>(() => _heaps[1].MoveAllTo(_heaps[0]));
        Assert.Throws<InvalidOperationException>(() => _heaps[1].MoveAllTo(_heaps[1]));
        Assert.Equal(1, _heaps[1].Count);
        _heaps[0].StopForwarding();
        _heaps[1].MoveAllTo(_heaps[0]);
        Assert.Equal(1, _heaps[0].Count);
    }

    // Every start is fired, or one stop or reset has said that it was not: whatever comes between.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Nothing_is_lost_or_fired_twice_while_timers_move(int seed)
    {
        _output.WriteLine($"seed {seed}");
        const int Users = 3;
        const int Rounds = 60_000;
        long now = 0;
        int using_ = Users;
        var timers = new Counter[Users * 20];
        for (int i = 0; i < timers.Length; i++)
            timers[i] = new Counter();

        Task[] users = [.. Enumerable.Range(0, Users).Select(u => Task.Run(() =>
        {
            try
            {
                Use(timers.AsSpan(u * 20, 20), new Random(seed * 100 + u));
            }
            finally
            {
                Interlocked.Decrement(ref using_);
            }
        }))];
        var mover = Task.Run(() =>
        {
            var random = new Random(seed);
            while (Volatile.Read(ref using_) > 0)
            {
                int from = random.Next(2);
                _heaps[from].MoveAllTo(_heaps[1 - from]);
                _heaps[1 - from].RunDue(Interlocked.Increment(ref now));
                _heaps[from].StopForwarding();
                _heaps[from].RunDue(Volatile.Read(ref now));
            }
        });
        await Task.WhenAll([.. users, mover]).Within();
        foreach (TimerHeap heap in _heaps)
            heap.RunDue(long.MaxValue - 1);
        Assert.All(timers, t => Assert.Equal(t.Started, t.Fired));

        void Use(Span<Counter> mine, Random random)
        {
            var never = new Counter();
            for (int i = 0; i < Rounds; i++)
            {
                Counter timer = mine[random.Next(mine.Length)];
                TimerHeap heap = _heaps[random.Next(2)];
                switch (random.Next(4))
                {
                    case 0:
                        if (heap.Stop(timer))
                            timer.Started--;
                        break;
                    case 1:
                        // One that is far from due is pending for whoever asks, on the move or not.
                        heap.Start(never, long.MaxValue - 1);
                        Assert.True(_heaps[random.Next(2)].Reset(never, long.MaxValue - 2));
                        Assert.True(_heaps[random.Next(2)].Stop(never));
                        break;
                    default:
                        if (!heap.Reset(timer, Volatile.Read(ref now) + random.Next(-1, 20)))
                            timer.Started++;
                        break;
                }
            }
            Assert.Equal(0, never.Fired);
        }
    }

    [Fact]
    public async Task A_timer_that_moves_while_its_reset_waits_for_the_lock_is_reset_where_it_is()
    {
        // Many move with it, and it is the last of them: so most resets find the heap that it is on locked, and it on the other
        // when they have the lock.
        const int many = 5_000;
        bool stop = false;
        var timer = new Counter();
        for (int i = 0; i < many; i++)
            _heaps[0].Start(new Counter(), many - i);
        _heaps[0].Start(timer, long.MaxValue - 1);
        var resets = Task.Run(() =>
        {
            for (long i = 0; !Volatile.Read(ref stop); i++)
                Assert.True(_heaps[0].Reset(timer, long.MaxValue - 1 - (i & 1)));
        });
        for (int i = 0; i < 200 && !resets.IsCompleted; i++)
        {
            TimerHeap from = _heaps[i % 2];
            TimerHeap to = _heaps[1 - i % 2];
            from.MoveAllTo(to);
            from.StopForwarding();
            Assert.Equal((0, many + 1), (from.Count, to.Count));
        }
        Volatile.Write(ref stop, true);
        await resets.Within();
        Assert.Equal((many + 1, 1), (_heaps[0].Count, _heaps[0].NextWhen));
        _heaps[0].RunDue(many);
        Assert.Equal((1, 0), (_heaps[0].Count, timer.Fired));
        _heaps[0].RunDue(long.MaxValue - 1);
        Assert.Equal((0, 1), (_heaps[0].Count, timer.Fired));
    }
}
