using System.Diagnostics;

namespace Experiments;

/// <summary>How long goroutines are ready before they run, at a fixed rate of requests, beside Go's: both count the time in the runnable state, from
/// when a goroutine is made ready to when it is about to run.</summary>
internal sealed class DelayExperiment() : Experiment("delay", rounds: 8, seconds: 4)
{
    private const int Rate = 5000;

    // Go's runtime counts every 8th transition of a goroutine (gTrackingPeriod).
    private const int GoTrackingPeriod = 8;

    public override async Task RunAsync(CommandLine options)
    {
        var results = new Results(
            $"From ready to running, at {Rate} requests/s of plaintext over 64 connections on two processors", "server",
            "p50 us", "p90 us", "p99 us", "p99.9 us", "request p50 us", "request p99 us");
        await using HttpHost host = await HttpHost.StartAsync(new GoScheduler(new SchedulerOptions { MaxProcs = 2 }), HttpHost.Plaintext(0));
        var watch = new DelayWatch();
        host.Scheduler.Events = watch;
        List<Subject> subjects = [new Subject("NetGo", host.Port, 1, () => Task.FromResult(watch.Delays.Take()))];
        Process? go = null;
        using var client = new HttpClient();
        try
        {
            if (options.GoServer is { } program)
            {
                int port = Tool.FreePort();
                go = await Tool.StartServerAsync(program, $"{port}");
                subjects.Add(new Subject(
                    "Go", port, GoTrackingPeriod, async () => LatencyHistogram.Parse(await client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/delays")))));
            }
            await InTurnAsync(options, subjects.Count, async (i, counts) =>
            {
                Subject subject = subjects[i];
                await subject.Take();
                Dictionary<string, double> load = await Tool.RateAsync(options, subject.Port, Rate);
                List<(double, long)> delays = await subject.Take();
                if (!counts)
                    return;
                subject.All.AddRange(delays);
                subject.Requests += Rate * (options.Seconds + options.WarmUp);
                results.Add(
                    subject.Name, LatencyHistogram.Percentile(delays, 0.5), LatencyHistogram.Percentile(delays, 0.9), LatencyHistogram.Percentile(delays, 0.99),
                    LatencyHistogram.Percentile(delays, 0.999), load["main_p50"] * 1000, load["main_p99"] * 1000);
            });
        }
        finally
        {
            if (go is not null)
                Tool.Stop(go);
        }
        results.Print();
        var together = new Results(
            "All slices together", "server", "p50 us", "p99 us", "p99.9 us", "p99.99 us", "max us", "delays/request",
            "over 0.1 ms/1,000 requests", "over 0.5 ms", "over 1 ms");
        foreach (Subject s in subjects)
        {
            together.Add(
                s.Name, LatencyHistogram.Percentile(s.All, 0.5), LatencyHistogram.Percentile(s.All, 0.99), LatencyHistogram.Percentile(s.All, 0.999),
                LatencyHistogram.Percentile(s.All, 0.9999), LatencyHistogram.Percentile(s.All, 1), s.PerRequest(0),
                s.PerRequest(100e3) * 1000, s.PerRequest(500e3) * 1000, s.PerRequest(1e6) * 1000);
        }
        together.Print();
    }

    /// <param name="Each">Of so many delays it counts one.</param>
    private sealed record Subject(string Name, int Port, int Each, Func<Task<List<(double UpperEnd, long Count)>>> Take)
    {
        public List<(double UpperEnd, long Count)> All { get; } = [];

        public double Requests { get; set; }

        /// <summary>Delays of more than so many nanoseconds that a request has. The two servers' percentiles are over unlike sets; these are not.</summary>
        public double PerRequest(double moreThan) => All.Where(c => c.UpperEnd > moreThan).Sum(static c => c.Count) * Each / Requests;
    }

    private sealed class DelayWatch : SchedulerEvents
    {
        private const int Places = 1 << 16;

        // Since when who has this number is ready. Numbers that share a place would have to be ready at the same time to be mistaken for each other.
        private readonly long[] _since = new long[Places];

        public LatencyHistogram Delays { get; } = new();

        public override void OnSpawn(GoroutineRef goroutine) => OnReady(goroutine);

        public override void OnReady(GoroutineRef goroutine) => Volatile.Write(ref _since[goroutine.Id % Places], Stopwatch.GetTimestamp());

        public override void OnRun(GoroutineRef goroutine, int processor)
        {
            long since = Interlocked.Exchange(ref _since[goroutine.Id % Places], 0);
            if (since != 0)
                Delays.Add((long)Stopwatch.GetElapsedTime(since).TotalNanoseconds);
        }
    }
}
