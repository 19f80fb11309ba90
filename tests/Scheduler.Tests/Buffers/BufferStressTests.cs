namespace NetGo.Scheduler.Tests.Buffers;

public class BufferStressTests
{
    /// <summary>Goroutines and plain threads rent, write, hand over to each other and return. Whoever has a buffer finds in it what was
    /// written last by who had it before him, and by nobody else.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(4, 3)]
    public async Task Nobody_has_anothers_buffer(int processors, int seed)
    {
        using var pool = new BufferPool(
            new BufferPoolOptions { ReleaseAfter = TimeSpan.FromMilliseconds(10) }, Topologies.Read("two-nodes-one-core-each"));
        using (var scheduler = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = processors, Buffers = pool }))
        {
            Channel<NetBuffer> handedOver = Channel.Make<NetBuffer>(100);
            const int Goroutines = 40;
            const int Rounds = 2000;
            var all = new WaitGroup();
            all.Add(Goroutines);
            for (int i = 0; i < Goroutines; i++)
            {
                var random = new Random(seed * 1000 + i);
                scheduler.Spawn(async () =>
                {
                    for (int round = 0; round < Rounds; round++)
                    {
                        NetBuffer mine = pool.Rent(random.Next(65536));
                        Sign(mine, random.Next());
                        if (random.Next(4) == 0)
                            await Go.YieldAsync();
                        await handedOver.SendAsync(mine);
                        NetBuffer others = (await handedOver.ReceiveAsync()).Value;
                        CheckSignature(others);
                        others.Return();
                    }
                    all.Done();
                });
            }
            var thread = new Thread(() =>
            {
                var random = new Random(seed);
                for (int round = 0; round < Rounds; round++)
                {
                    NetBuffer mine = pool.Rent(random.Next(100_000));
                    Sign(mine, random.Next());
                    CheckSignature(mine);
                    mine.Return();
                    if (round % 100 == 0)
                        pool.ReleaseUnused();
                }
            });
            thread.Start();
            await scheduler.RunAsync(async () => await all.WaitAsync()).WaitAsync(Bounded.StressLimit);
            Assert.True(thread.Join(Bounded.StressLimit));
            Bounded.NoneLeft(scheduler);
            if (processors > 1)
                Assert.True(pool.GetStatistics().RemoteReturns > 0);
        }
        Bounded.Until(() => pool.GetStatistics().Classes.All(static c => c.InUse + c.Cached == 0), "all is returned");
        Bounded.Until(() => pool.GetStatistics().CommittedBytes == 0, "all is released");
    }

    private static void Sign(NetBuffer buffer, int signature)
    {
        BitConverter.TryWriteBytes(buffer.Span, signature);
        BitConverter.TryWriteBytes(buffer.Span[^4..], ~signature);
    }

    private static void CheckSignature(NetBuffer buffer) =>
        Assert.Equal(BitConverter.ToInt32(buffer.Span), ~BitConverter.ToInt32(buffer.Span[^4..]));
}
