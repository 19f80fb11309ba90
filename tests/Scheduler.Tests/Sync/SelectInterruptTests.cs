namespace NetGo.Scheduler.Tests.Sync;

public class SelectInterruptTests
{
    private static readonly TimeSpan s_soon = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan s_late = TimeSpan.FromHours(1);

    public static TheoryData<int> ProcessorCounts => On.ProcessorCounts;

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task The_time_is_up(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> a = Channel.Make<int>();
        Channel<int> b = Channel.Make<int>();
        var select = new Select();
        ReceiveCase<int> receive = select.Receive(a);
        select.Send(b, 1);
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(-1, await select.WaitAsync(s_soon));
            Assert.False(a.TrySend(1)); // it stands in no line any more
            Assert.False(b.TryReceive(out _));
        }
        ValueTask<int> wait = select.WaitAsync(s_late);
        Assert.True(a.TrySend(2));
        Assert.Equal(receive.Index, await wait);
        Assert.Equal(2, receive.Value);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_select_without_cases_can_time_out(int processors) => On.Processors(processors, async () =>
        Assert.Equal(-1, await new Select().WaitAsync(s_soon)));

    [Fact]
    public Task Zero_only_looks_and_infinite_waits() => On.Processors(1, async () =>
    {
        Channel<int> channel = Channel.Make<int>(1);
        var select = new Select();
        ReceiveCase<int> receive = select.Receive(channel);
        ValueTask<int> looked = select.WaitAsync(TimeSpan.Zero);
        Assert.True(looked.IsCompleted);
        Assert.Equal(-1, await looked);
        Assert.Equal(-1, await select.WaitAsync(TimeSpan.FromTicks(-1)));
        await channel.SendAsync(1);
        Assert.Equal(receive.Index, await select.WaitAsync(TimeSpan.Zero));
        ValueTask<int> wait = select.WaitAsync(Timeout.InfiniteTimeSpan);
        Assert.False(wait.IsCompleted);
        await channel.SendAsync(2);
        Assert.Equal(receive.Index, await wait);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_token_ends_the_wait_and_no_case_happens(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> a = Channel.Make<int>();
        Channel<int> b = Channel.Make<int>();
        var select = new Select();
        ReceiveCase<int> receive = select.Receive(a);
        select.Send(b, 1);
        for (int i = 0; i < 20; i++)
        {
            using var cancellation = new CancellationTokenSource();
            ValueTask<int> wait = i % 2 == 0 ? select.WaitAsync(cancellation.Token) : select.WaitAsync(s_late, cancellation.Token);
            if (i % 3 == 0)
                cancellation.Cancel();
            else
                Go.Spawn(cancellation.Cancel);
            var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await wait);
            Assert.Equal(cancellation.Token, e.CancellationToken);
            Assert.False(a.TrySend(1));
            Assert.False(b.TryReceive(out _));
        }
        Assert.True((await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await select.WaitAsync(new CancellationToken(true)))).CancellationToken.IsCancellationRequested);
        using var unused = new CancellationTokenSource();
        ValueTask<int> last = select.WaitAsync(unused.Token);
        Assert.True(a.TrySend(3));
        unused.Cancel(); // too late
        Assert.Equal(receive.Index, await last);
        Assert.Equal(3, receive.Value);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task What_was_late_for_one_wait_does_not_end_the_next(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>();
        var select = new Select();
        ReceiveCase<int> receive = select.Receive(channel);
        for (int i = 0; i < 50; i++)
        {
            using var old = new CancellationTokenSource();
            ValueTask<int> wait = select.WaitAsync(s_soon, old.Token);
            bool sent = channel.TrySend(i);
            Assert.Equal(sent ? receive.Index : -1, await wait);
            wait = select.WaitAsync();
            old.Cancel();
            await Go.SleepAsync(s_soon);
            Assert.False(wait.IsCompleted);
            Assert.True(channel.TrySend(i));
            Assert.Equal(receive.Index, await wait);
        }
    });

    [Fact]
    public Task A_timer_that_comes_for_a_wait_that_is_over_does_not_end_the_next() => On.Processors(1, async () =>
    {
        Channel<int> channel = Channel.Make<int>();
        var select = new Select();
        ReceiveCase<int> receive = select.Receive(channel);
        for (int i = 0; i < 3; i++)
        {
            ValueTask<int> wait = select.WaitAsync();
            for (int old = 0; old < i; old++)
                select.Interrupt(old, SelectPhase.TimedOut);
            Assert.False(wait.IsCompleted);
            Assert.True(channel.TrySend(i));
            Assert.Equal(receive.Index, await wait);
        }
    });

    [Fact]
    public Task A_wait_that_is_over_stands_in_no_line() => On.Processors(1, async () =>
    {
        Channel<int> channel = Channel.Make<int>();
        var select = new Select();
        select.Receive(channel);
        Assert.Equal(-1, await select.WaitAsync(s_soon));
        ValueTask<bool> receiver = channel.AsWriter().WaitToWriteAsync();
        Assert.False(receiver.IsCompleted);
        channel.Close();
        Assert.False(await receiver);
    });

    // Time-outs, cancellations and values race: each value that was sent is received, and none twice.
    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Nothing_is_lost_or_doubled_when_interrupts_race(int processors) => On.Processors(processors, async () =>
    {
        const int values = 4000;
        Channel<int> a = Channel.Make<int>();
        Channel<int> b = Channel.Make<int>();
        int[] seen = new int[values];
        var sending = new WaitGroup();
        var receiving = new WaitGroup();
        CancellationTokenSource current = new();
        bool done = false;
        Task canceller = Task.Factory.StartNew(() =>
        {
            while (!Volatile.Read(ref done))
                Interlocked.Exchange(ref current, new CancellationTokenSource()).Cancel();
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        int next = -1;
        for (int s = 0; s < 3; s++)
        {
            sending.Go(async () =>
            {
                var select = new Select();
                SendCase<int> toA = select.Send(a, 0);
                SendCase<int> toB = select.Send(b, 0);
                for (int value = Interlocked.Increment(ref next); value < values; value = Interlocked.Increment(ref next))
                {
                    toA.Value = value;
                    toB.Value = value;
                    if (value % 64 == 0)
                        await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
                    while (await Try(select, Volatile.Read(ref current).Token) < 0)
                    {
                    }
                }
            });
            receiving.Go(async () =>
            {
                var select = new Select();
                ReceiveCase<int>[] cases = [select.Receive(b), select.Receive(a)];
                int open = 2;
                while (open > 0)
                {
                    int index = await Try(select, Volatile.Read(ref current).Token);
                    if (index < 0)
                        continue;
                    if (cases[index].Ok)
                    {
                        Interlocked.Increment(ref seen[cases[index].Value]);
                        continue;
                    }
                    cases[index].Channel = default;
                    open--;
                }
            });
        }
        await sending.WaitAsync();
        a.Close();
        b.Close();
        await receiving.WaitAsync();
        Volatile.Write(ref done, true);
        await canceller;
        Assert.All(seen, count => Assert.Equal(1, count));
    });

    private static async Task<int> Try(Select select, CancellationToken token)
    {
        try
        {
            return await select.WaitAsync(TimeSpan.FromMilliseconds(1), token);
        }
        catch (OperationCanceledException)
        {
            return -1;
        }
    }
}
