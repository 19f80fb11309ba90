namespace NetGo.Netpoll.Tests;

/// <summary>Close, deadlines and cancellation; the events are made by hand.</summary>
public sealed class PollDescTests : IDisposable
{
    private readonly GoScheduler _scheduler = Bounded.NewScheduler(1);
    private readonly PollDesc _desc;

    public PollDescTests() => _desc = PollDescTable.Rent(_scheduler);

    public void Dispose()
    {
        PollDescTable.Return(_desc);
        _scheduler.Dispose();
    }

    private Task<PollResult> Wait(PollMode mode) => _scheduler.RunAsync(async () => await _desc.WaitAsync(mode)).Within();

    private Task<PollResult> WaitParked(PollMode mode)
    {
        Task<PollResult> wait = Wait(mode);
        Bounded.Until(() => _scheduler.AllIdle, "parked");
        Assert.False(wait.IsCompleted);
        return wait;
    }

    private void Event(PollMode mode)
    {
        GoroutineQueue ready = default;
        _desc.EventCame(mode, ref ready);
        _scheduler.EnqueueGlobal(ref ready);
    }

    private long In(int milliseconds) => _scheduler.Now() + milliseconds * 1_000_000L;

    [Fact]
    public async Task Close_ends_what_is_parked_and_all_later_waits()
    {
        Task<PollResult> read = WaitParked(PollMode.Read);
        Task<PollResult> write = WaitParked(PollMode.Write);
        _desc.Evict();
        Assert.Equal(PollResult.Closing, await read);
        Assert.Equal(PollResult.Closing, await write);
        Assert.Equal(PollResult.Closing, await Wait(PollMode.Read));
    }

    [Fact]
    public async Task Events_are_remembered_once()
    {
        Event(PollMode.Read);
        Event(PollMode.Read);
        Assert.Equal(PollResult.Ready, await Wait(PollMode.Read));
        Task<PollResult> wait = WaitParked(PollMode.Read);
        Event(PollMode.Write);
        Assert.False(wait.IsCompleted);
        Event(PollMode.Read);
        Assert.Equal(PollResult.Ready, await wait);
        Assert.False(_desc.TryConsumeReady(PollMode.Read));
        Assert.True(_desc.TryConsumeReady(PollMode.Write));
        Assert.False(_desc.TryConsumeReady(PollMode.Write));
    }

    [Fact]
    public async Task A_second_waiter_is_refused()
    {
        Task<PollResult> wait = WaitParked(PollMode.Read);
        await Assert.ThrowsAsync<InvalidOperationException>(() => Wait(PollMode.Read));
        Event(PollMode.Read);
        Assert.Equal(PollResult.Ready, await wait);
    }

    [Fact]
    public async Task A_deadline_ends_a_wait_and_stays_passed_until_it_is_set_again()
    {
        Task<PollResult> write = WaitParked(PollMode.Write);
        Task<PollResult> read = WaitParked(PollMode.Read);
        _desc.SetDeadline(PollMode.Read, In(10));
        Assert.Equal(PollResult.Timeout, await read);
        Assert.Equal(PollResult.Timeout, await Wait(PollMode.Read));
        Assert.False(write.IsCompleted);
        _desc.SetDeadline(PollMode.Read, long.MaxValue);
        read = WaitParked(PollMode.Read);
        Event(PollMode.Read);
        Event(PollMode.Write);
        Assert.Equal(PollResult.Ready, await read);
        Assert.Equal(PollResult.Ready, await write);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_deadline_in_the_past(bool before)
    {
        if (before)
        {
            _desc.SetDeadline(PollMode.Read, 0);
            Assert.Equal(PollResult.Timeout, await Wait(PollMode.Read));
        }
        else
        {
            Task<PollResult> read = WaitParked(PollMode.Read);
            _desc.SetDeadline(PollMode.Read, 0);
            Assert.Equal(PollResult.Timeout, await read);
        }
    }

    [Fact]
    public async Task A_deadline_moved_later_is_kept_from_the_old_time_and_ends_at_the_new_one()
    {
        Task<PollResult> read = WaitParked(PollMode.Read);
        _desc.SetDeadline(PollMode.Read, In(500)); // no stall between the two is as long
        long end = In(700);
        _desc.SetDeadline(PollMode.Read, end);
        Assert.Equal(PollResult.Timeout, await read);
        Assert.True(_scheduler.Now() >= end);
    }

    [Fact]
    public async Task A_deadline_moved_earlier_ends_at_the_earlier_one()
    {
        Task<PollResult> read = WaitParked(PollMode.Read);
        _desc.SetDeadline(PollMode.Read, In(3_600_000));
        _desc.SetDeadline(PollMode.Read, In(10));
        Assert.Equal(PollResult.Timeout, await read);
    }

    [Fact]
    public async Task The_deadlines_of_both_directions_share_a_timer()
    {
        Task<PollResult> read = WaitParked(PollMode.Read);
        Task<PollResult> write = WaitParked(PollMode.Write);
        _desc.SetDeadline(PollMode.Write, In(60));
        _desc.SetDeadline(PollMode.Read, In(20));
        Assert.Equal(PollResult.Timeout, await read);
        Assert.Equal(PollResult.Timeout, await write);
    }

    [Fact]
    public async Task A_cleared_deadline_does_not_end_the_wait()
    {
        Task<PollResult> read = WaitParked(PollMode.Read);
        _desc.SetDeadline(PollMode.Read, In(500)); // once it is parked: that may take longer than the deadline
        _desc.SetDeadline(PollMode.Read, long.MaxValue);
        await _scheduler.RunAsync(async () => await Go.SleepAsync(TimeSpan.FromMilliseconds(600))).Within();
        Assert.False(read.IsCompleted);
        Event(PollMode.Read);
        Assert.Equal(PollResult.Ready, await read);
    }

    [Fact]
    public async Task A_deadline_of_the_former_user_is_not_the_next_ones()
    {
        PollDesc desc = PollDescTable.Rent(_scheduler);
        desc.SetDeadline(PollMode.Read, In(20));
        PollDescTable.Return(desc);
        Assert.Same(desc, PollDescTable.Rent(_scheduler));
        await _scheduler.RunAsync(async () => await Go.SleepAsync(TimeSpan.FromMilliseconds(60))).Within();
        Assert.Equal(PollResult.Ready, desc.Check(PollMode.Read));
        desc.SetDeadline(PollMode.Read, In(20));
        Assert.Equal(PollResult.Timeout, await _scheduler.RunAsync(async () => await desc.WaitAsync(PollMode.Read)).Within());
        PollDescTable.Return(desc);
    }

    [Fact]
    public async Task Cancel_ends_the_present_wait_only()
    {
        Task<PollResult> read = WaitParked(PollMode.Read);
        Task<PollResult> write = WaitParked(PollMode.Write);
        _desc.Cancel(PollMode.Read);
        Assert.Equal(PollResult.Cancelled, await read);
        Assert.False(write.IsCompleted);
        read = WaitParked(PollMode.Read);
        Event(PollMode.Read);
        Event(PollMode.Write);
        Assert.Equal(PollResult.Ready, await read);
        Assert.Equal(PollResult.Ready, await write);
    }

    [Fact]
    public async Task An_event_that_has_come_is_told_before_a_cancellation_that_came_as_well()
    {
        _desc.Cancel(PollMode.Read);
        Event(PollMode.Read);
        Assert.Equal(PollResult.Ready, await Wait(PollMode.Read)); // who consumes it must try
        Assert.Equal(PollResult.Cancelled, await Wait(PollMode.Read));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Events_deadlines_and_cancellation_at_random_lose_no_wake_up(int seed)
    {
        // Whoever waits is woken by one of them; one thread of them, one goroutine that waits again and again.
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        PollDesc desc = PollDescTable.Rent(scheduler);
        long made = 0, seen = 0;
        bool stop = false;
        Task waiter = scheduler.RunAsync(async () =>
        {
            while (!Volatile.Read(ref stop))
            {
                PollResult result = await desc.WaitAsync(PollMode.Read);
                if (result == PollResult.Timeout)
                    desc.SetDeadline(PollMode.Read, long.MaxValue);
                Volatile.Write(ref seen, Volatile.Read(ref made));
            }
        });
        var random = new Random(seed);
        for (int i = 0; i < 3000; i++)
        {
            Volatile.Write(ref made, i + 1);
            switch (random.Next(3))
            {
                case 0:
                    desc.Cancel(PollMode.Read);
                    break;
                case 1:
                    desc.SetDeadline(PollMode.Read, scheduler.Now() - 1);
                    break;
            }
            // An event makes sure that there is a reason to wake.
            GoroutineQueue ready = default;
            desc.EventCame(PollMode.Read, ref ready);
            scheduler.EnqueueGlobal(ref ready);
            int wanted = i + 1;
            Bounded.Until(() => Volatile.Read(ref seen) >= wanted, $"seed {seed}, wake-up {i}");
        }
        Volatile.Write(ref stop, true);
        desc.Evict();
        await waiter.Within();
        PollDescTable.Return(desc);
    }
}
