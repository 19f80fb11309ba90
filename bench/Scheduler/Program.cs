using System.Diagnostics;
using NetGo;

await Go.RunAsync(async () =>
{
    for (int round = 0; round < 5; round++)
    {
        const int N = 1_000_000;
        var sw = Stopwatch.StartNew();
        var wg = new WaitGroup();
        wg.Add(N);
        for (int i = 0; i < N; i++)
            Go.Spawn(static s => { ((WaitGroup)s!).Done(); return Task.CompletedTask; }, wg);
        await wg.WaitAsync();
        Console.WriteLine($"spawn_join {sw.Elapsed.TotalNanoseconds / N:F1} ns/op");

        sw.Restart();
        wg = new WaitGroup();
        for (int i = 0; i < 64; i++)
            wg.Go(async () => { for (int k = 0; k < N / 64; k++) await Go.YieldAsync(); });
        await wg.WaitAsync();
        Console.WriteLine($"yield_64g {sw.Elapsed.TotalNanoseconds / N:F1} ns/op");

        sw.Restart();
        wg = new WaitGroup();
        for (int i = 0; i < 10000; i++)
            wg.Go(async () => { for (int k = 0; k < 20; k++) await Go.SleepAsync(TimeSpan.FromMilliseconds(1)); });
        await wg.WaitAsync();
        Console.WriteLine($"timers {sw.Elapsed.TotalNanoseconds / 200000:F1} ns/op");
        sw.Restart();
        wg = new WaitGroup();
        for (int i = 0; i < 1000; i++)
            wg.Go(async () => { await Task.Delay(10); });
        for (int i = 0; i < 20; i++)
            wg.Go(async () => { await Go.YieldAsync(); Thread.Sleep(50); Task.Delay(10).ContinueWith(_ => { }).Wait(); });
        await wg.WaitAsync();
        Console.WriteLine($"delay+block {sw.Elapsed.TotalMilliseconds:F1} ms live={Go.NumGoroutine} handoffs={GoScheduler.Default.HandOffCount} Ms={GoScheduler.Default.MachineCount}");
    }
});
return 0;
