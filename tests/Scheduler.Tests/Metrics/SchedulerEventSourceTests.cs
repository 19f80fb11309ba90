using System.Collections.Concurrent;
using System.Diagnostics.Tracing;

namespace NetGo.Scheduler.Tests.Metrics;

/// <summary>The event source NetGo-Scheduler.</summary>
[Collection(NetGo.Tests.EventListeners.Name)]
public class SchedulerEventSourceTests
{
    private sealed class Recorder(EventLevel level) : EventListener
    {
        private readonly ConcurrentQueue<EventWrittenEventArgs> _all = new();

        public IEnumerable<EventWrittenEventArgs> All => _all;

        public void Begin() => EnableEvents(SchedulerEventSource.Log!, level);

        public void End() => DisableEvents(SchedulerEventSource.Log!);

        protected override void OnEventWritten(EventWrittenEventArgs eventData) => _all.Enqueue(eventData);

        public string[] Of(GoScheduler scheduler, int goroutine) =>
            [.. _all.Where(e => e.EventName != "HandOff" && NameOf(e) == NameOf(scheduler) && (long)e.Payload![1]! == goroutine)
                .Select(e => string.Join(' ', [e.EventName![9..], .. e.Payload!.Skip(2)]))];

        public static string NameOf(GoScheduler scheduler) => LiveSchedulers.Snapshot().Single(s => s.Scheduler == scheduler).Name;

        private static string NameOf(EventWrittenEventArgs e) => ((int)e.Payload![0]!).ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task The_life_of_a_goroutine_is_told_to_whom_asks_for_all()
    {
        using var recorder = new Recorder(EventLevel.Verbose);
        using GoScheduler before = Bounded.NewScheduler(1);
        Assert.Null(before.Observer);
        recorder.Begin();
        using GoScheduler scheduler = Bounded.NewScheduler(1); // one that is made while somebody listens
        Assert.NotNull(before.Observer);
        await LiveAsync(before);
        await LiveAsync(scheduler);
        recorder.End();
        Assert.Null(before.Observer);
        Assert.Null(scheduler.Observer);
        int told = recorder.All.Count();
        await LiveAsync(scheduler);
        Assert.Equal(told, recorder.All.Count());

        async Task LiveAsync(GoScheduler on)
        {
            int id = 0;
            await on.RunAsync(async () =>
            {
                id = (int)Machine.OfThisThread!.Current!.Id;
                await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            }).Within();
            Bounded.NoneLeft(on);
            if (on.Observer is null)
                return;
            Bounded.Until(() => recorder.Of(on, id).LastOrDefault() == "End", "its end is told");
            Assert.Matches("^Spawn SchedulerEventSourceTests.cs:[0-9]+; Park Sleep; Ready; End$", string.Join("; ", recorder.Of(on, id)));
        }
    }

    [Fact]
    public async Task Hand_offs_are_told_without_what_goroutines_do()
    {
        using var recorder = new Recorder(EventLevel.Informational);
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        string name = Recorder.NameOf(scheduler);
        recorder.Begin();
        await scheduler.RunAsync(() =>
        {
            Bounded.Until(
                () =>
                {
                    Thread.Sleep(50);
                    return recorder.All.Any(e => $"{e.Payload![0]}" == name);
                },
                "the hand-off is told");
            return Task.CompletedTask;
        });
        Assert.All(recorder.All, static e => Assert.Equal("HandOff", e.EventName));
        EventWrittenEventArgs handOff = recorder.All.First(e => $"{e.Payload![0]}" == name);
        Assert.Equal(0, handOff.Payload![1]);
        Assert.Equal("Blocked", handOff.Payload[3]);
        recorder.End();
        Assert.Null(scheduler.Observer);
    }

    [Fact]
    public void The_level_can_be_raised_while_somebody_listens()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        using (var quiet = new Recorder(EventLevel.Informational))
        {
            quiet.Begin();
            Assert.IsType<HandOffEvents>(scheduler.Observer);
            using var all = new Recorder(EventLevel.Verbose);
            all.Begin();
            Assert.IsType<GoroutineEvents>(scheduler.Observer);
        }
        Assert.Null(scheduler.Observer);
    }

    [Fact]
    public void The_source_is_well_formed() => Assert.NotNull(EventSource.GenerateManifest(typeof(SchedulerEventSource), null, EventManifestOptions.Strict));
}
