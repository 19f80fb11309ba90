namespace NetGo.Scheduler.Tests;

/// <summary>Random programs: every goroutine must come to its end, whatever the mix of waits.</summary>
public sealed class SchedulerStressTests(ITestOutputHelper output)
{
    private const int Roots = 200;

    public static TheoryData<int, int> Cases()
    {
        var cases = new TheoryData<int, int>();
        foreach (int processors in new[] { 1, 2, 4 })
        {
            for (int seed = 1; seed <= 3; seed++)
                cases.Add(processors, seed);
            cases.Add(processors, Random.Shared.Next(1000, int.MaxValue));
        }
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task All_goroutines_end(int processors, int seed)
    {
        output.WriteLine($"seed {seed}, {processors} processors");
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        scheduler.UnhandledException += (_, e) => output.WriteLine(e.ToString());
        int begun = 0, ended = 0;
        async Task Body(Random random, int depth)
        {
            Interlocked.Increment(ref begun);
            for (int i = random.Next(1, 12); i > 0; i--)
                await Step(random, depth);
            Interlocked.Increment(ref ended);
        }
        async Task Step(Random random, int depth)
        {
            switch (random.Next(20))
            {
                case < 6:
                    await Go.YieldAsync();
                    break;
                case < 9:
                    await Go.SleepAsync(TimeSpan.FromMilliseconds(random.Next(0, 4)));
                    break;
                case 9:
                    await Task.Delay(random.Next(0, 3));
                    break;
                case 10:
                    await Task.Run(() => Thread.SpinWait(100));
                    break;
                case 11:
                    await Task.Delay(1).ConfigureAwait(false);
                    break;
                case 12:
                    Thread.Sleep(random.Next(1, 3));
                    break;
                case 13:
                    Thread.SpinWait(random.Next(1, 20_000));
                    break;
                case 14:
                    await Task.WhenAll(Go.SleepAsync(TimeSpan.FromMilliseconds(1)).AsTask(), Go.YieldAsync().AsTask(), Task.Delay(1));
                    break;
                case < 18 when depth < 3:
                    {
                        int child = random.Next();
                        scheduler.Spawn(() => Body(new Random(child), depth + 1));
                        break;
                    }
                case 18 when depth < 3:
                    {
                        int child = random.Next();
                        await scheduler.RunAsync(() => Body(new Random(child), depth + 1));
                        break;
                    }
                default:
                    await Task.Yield();
                    break;
            }
        }
        for (int i = 0; i < Roots; i++)
        {
            int root = i;
            scheduler.Spawn(() => Body(new Random(seed * 1000 + root), 0));
        }
        Assert.True(await Task.Run(() => SpinWait.SpinUntil(() => scheduler.GoroutineCount == 0, Bounded.StressLimit)),
            $"{scheduler.GoroutineCount} goroutines never ended: {begun} begun, {ended} ended");
        Bounded.Until(() => Volatile.Read(ref ended) == Volatile.Read(ref begun), "all ended");
        Assert.True(ended >= Roots);
    }
}
