using NetGo;

namespace Concurrency;

internal static class Testing
{
    public static Task ExploreAsync()
    {
        // snippet: explore
        static async Task CountAsync()
        {
            int count = 0;
            async Task IncrementAsync()
            {
                int seen = count;
                await Go.YieldAsync();
                count = seen + 1;                            // a mistake: the other may have counted meanwhile
            }

            await Task.WhenAll(Go.RunAsync(IncrementAsync), Go.RunAsync(IncrementAsync));
            if (count != 2)
                throw new InvalidOperationException($"counted {count}");
        }

        try
        {
            Simulation.Explore(1_000, CountAsync);
        }
        catch (SimulationException e)                        // e.Seed repeats it
        {
            Console.WriteLine(e.InnerException!.InnerException!.Message);   // counted 1
        }
        // end
        return Task.CompletedTask;
    }

    public static Task VirtualTimeAsync()
    {
        // snippet: virtual-time
        SimulationResult result = Simulation.Run(async () =>
        {
            int rings = 0;
            Go.AfterFunc(TimeSpan.FromHours(1), () => rings++);
            await Go.SleepAsync(TimeSpan.FromHours(1));
            await Simulation.WaitAsync();                    // until all others wait
            Console.WriteLine(rings);                        // 1
        });
        Console.WriteLine(result.VirtualTime);               // 01:00:00, in no time
        // end
        return Task.CompletedTask;
    }

    public static async Task LeaksAsync()
    {
        // snippet: leaks
        Channel<int> jobs = Channel.Make<int>();
        GoroutineLeaks leaks = GoroutineLeaks.Watch();       // in a test: await using, and no try
        Go.Spawn(async () => await jobs.ReceiveAsync());
        try
        {
            await leaks.CheckAsync(within: TimeSpan.FromMilliseconds(100));
        }
        catch (GoroutineLeakException e)
        {
            Console.WriteLine(e.Goroutines[0].WaitReason);   // ChannelReceive
        }
        // end
        jobs.Close();
        await leaks.CheckAsync();
    }
}
