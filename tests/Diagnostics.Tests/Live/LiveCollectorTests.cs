using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using NetGo.Tests;

namespace NetGo.Diagnostics.Tests;

public sealed class LiveCollectorTests : IDisposable
{
    private readonly GoScheduler _scheduler = Bounded.NewScheduler(2);
    private readonly LiveCollector _collector;

    public LiveCollectorTests() => _collector = new LiveCollector(_scheduler) { Patience = TimeSpan.FromSeconds(30) };

    public void Dispose()
    {
        _collector.Patience = TimeSpan.Zero;
        Bounded.Until(() => !_collector.IsOn, "it is off");
        _scheduler.Dispose();
    }

    [Fact]
    public void It_is_off_until_somebody_looks_and_soon_after_nobody_does()
    {
        Assert.False(_collector.IsOn);
        Assert.Null(_scheduler.Tracer);
        View(0, withTimeline: true);
        Assert.True(_collector.IsOn);
        Bounded.Until(() => _scheduler.Tracer is not null, "it is traced");
        _collector.Patience = TimeSpan.FromMilliseconds(200);
        Bounded.Until(() => !_collector.IsOn && _scheduler.Tracer is null && _scheduler.Observer is null, "it is off, and nothing is traced");
        Assert.Empty(View(0).GetProperty("samples").EnumerateArray());
    }

    [Fact]
    public void Without_the_timeline_nothing_is_traced()
    {
        Until(static data => data.GetProperty("samples").GetArrayLength() > 0);
        Assert.Null(_scheduler.Tracer);
        Assert.Equal(JsonValueKind.False, View(0).GetProperty("traced").ValueKind);
    }

    [Fact]
    public void All_that_look_get_the_same_samples_each_once()
    {
        long last = Until(static data => data.GetProperty("samples").GetArrayLength() >= 2).GetProperty("samples")[1].GetProperty("number").GetInt64();
        Assert.Equal(2, last);
        Assert.Equal(Sample(View(0), 0), Sample(View(0), 0));
        Assert.Equal(2, View(1).GetProperty("samples")[0].GetProperty("number").GetInt64());
        Assert.DoesNotContain(View(2).GetProperty("samples").EnumerateArray(), static s => s.GetProperty("number").GetInt64() <= 2);
        // Who remembers a process that was here before gets all.
        Assert.Equal(1, View(1_000_000).GetProperty("samples")[0].GetProperty("number").GetInt64());

        static string Sample(JsonElement data, int place) => data.GetProperty("samples")[place].GetRawText();
    }

    [Fact]
    public async Task A_sample_says_what_is_so()
    {
        var end = Channel.Make<int>(0);
        for (int i = 0; i < 25; i++)
            _scheduler.Spawn(async () => await end.ReceiveAsync(), "/src/Leak.cs", 7);
        JsonElement sample = Until(static data => LastSample(data) is { } s && s.GetProperty("goroutines").GetInt64() == 25 && s.GetProperty("population").ValueKind == JsonValueKind.Object)
            .GetProperty("samples").EnumerateArray().Last();
        Assert.Equal(2, sample.GetProperty("processors").GetArrayLength());
        Assert.All(sample.GetProperty("processors").EnumerateArray(), static p => Assert.InRange(p.GetProperty("busy").GetDouble(), 0, 1));
        JsonElement site = sample.GetProperty("population").GetProperty("sites")[0];
        Assert.Equal(("Leak.cs:7", 25), (site.GetProperty("site").GetString(), site.GetProperty("count").GetInt32()));
        Assert.Equal(_scheduler.Buffers.GetStatistics().MaxBytes, sample.GetProperty("buffers").GetProperty("limit").GetInt64());
        end.Close();
        await Task.CompletedTask;
    }

    [Fact]
    public void The_timeline_has_what_ran_and_who_blocked()
    {
        View(0, withTimeline: true);
        Bounded.Until(() => _scheduler.Tracer is not null, "it is traced");
        var ran = new HashSet<string>();
        JsonElement blocked = default;
        long after = 0;
        long spawned = 0;
        Bounded.Until(
            () =>
            {
                // Again and again: on a busy machine one run of it may look otherwise, as where sysmon comes late.
                if (spawned == 0 || Stopwatch.GetElapsedTime(spawned) > TimeSpan.FromSeconds(3))
                {
                    spawned = Stopwatch.GetTimestamp();
                    SpawnBlockerAndWorker();
                }
                JsonElement data = View(after, withTimeline: true);
                foreach (JsonElement timeline in data.GetProperty("timelines").EnumerateArray())
                {
                    after = timeline.GetProperty("number").GetInt64();
                    string[] sites = [.. timeline.GetProperty("sites").EnumerateArray().Select(static s => s.GetString()!)];
                    foreach (JsonElement row in timeline.GetProperty("rows").EnumerateArray())
                    {
                        long[] items = [.. row.GetProperty("items").EnumerateArray().Select(static i => i.GetInt64())];
                        for (int i = 0; i < items.Length; i += 7)
                            ran.Add(sites[items[i + 2]]);
                    }
                    foreach (JsonElement handOff in timeline.GetProperty("handOffs").EnumerateArray())
                    {
                        if (handOff.GetProperty("site").GetString() == "Blocker.cs:1" && handOff.GetProperty("reason").GetString() == "blocked" &&
                            handOff.GetProperty("length").ValueKind == JsonValueKind.Number && handOff.GetProperty("length").GetInt64() >= 50_000)
                            blocked = handOff;
                    }
                }
                Thread.Sleep(50);
                return ran.Contains("Worker.cs:2") && ran.Contains("Blocker.cs:1") && blocked.ValueKind == JsonValueKind.Object;
            },
            "the worker's run and the blocker's hand-off");
        Assert.InRange(blocked.GetProperty("length").GetInt64(), 50_000, 30_000_000); // us

        void SpawnBlockerAndWorker()
        {
            _scheduler.Spawn(static () => Thread.Sleep(100), "/src/Blocker.cs", 1);
            _scheduler.Spawn(
                static () =>
                {
                    long end = Environment.TickCount64 + 30;
                    while (Environment.TickCount64 < end)
                        Thread.SpinWait(100);
                },
                "/src/Worker.cs", 2);
        }
    }

    [Fact]
    public void What_a_viewer_gets_is_bounded_however_much_happens()
    {
        var stop = new CancellationTokenSource();
        for (int i = 0; i < 200; i++)
        {
            _scheduler.Spawn(
                async () =>
                {
                    while (!stop.IsCancellationRequested)
                        await Go.YieldAsync();
                },
                $"/src/Yielder{i}.cs", i);
        }
        int largest = 0;
        Until(
            data =>
            {
                foreach (JsonElement timeline in data.GetProperty("timelines").EnumerateArray())
                    largest = Math.Max(largest, timeline.GetRawText().Length);
                return data.GetProperty("timelines").GetArrayLength() >= 2;
            },
            withTimeline: true);
        stop.Cancel();
        Assert.InRange(largest, 1000, 200_000);
        Bounded.NoneLeft(_scheduler);
    }

    private static JsonElement? LastSample(JsonElement data) =>
        data.GetProperty("samples") is var samples && samples.GetArrayLength() > 0 ? samples[samples.GetArrayLength() - 1] : null;

    private JsonElement Until(Func<JsonElement, bool> condition, bool withTimeline = false)
    {
        JsonElement data = default;
        Bounded.Until(
            () =>
            {
                Thread.Sleep(20);
                data = View(0, withTimeline);
                return condition(data);
            },
            "the samples that are wanted");
        return data;
    }

    private JsonElement View(long after, bool withTimeline = false)
    {
        var json = new ArrayBufferWriter<byte>();
        _collector.View(json, after, withTimeline);
        using var document = JsonDocument.Parse(json.WrittenMemory);
        return document.RootElement.Clone();
    }
}
