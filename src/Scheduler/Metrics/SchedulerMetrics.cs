using System.Diagnostics.Metrics;
using System.Globalization;

namespace NetGo;

// The instruments of the meter NetGo.Scheduler: of schedulers, their pollers and their buffers. All of them are observed: they ask GetStatistics() when
// somebody asks them, so that the schedulers do nothing for it. Names follow OpenTelemetry's rules for them; there are none for what they say.
internal static class SchedulerMetrics
{
    public const string MeterName = "NetGo.Scheduler";

    private const string SchedulerTag = "netgo.scheduler.name";
    private const string ProcessorTag = "netgo.processor.index";

    public static Meter Meter { get; } = Make();

    /// <summary>The instruments are there from now on.</summary>
    public static void Begin() => _ = Meter;

    private static Meter Make()
    {
        var meter = new Meter(MeterName, typeof(SchedulerMetrics).Assembly.GetName().Version?.ToString(3));
        AddGoroutines(meter);
        AddQueues(meter);
        AddProcessors(meter);
        AddMachines(meter);
        AddNetpoll(meter);
        BufferMetrics.AddTo(meter);
        return meter;
    }

    private static void AddGoroutines(Meter meter)
    {
        meter.CreateObservableUpDownCounter(
            "netgo.scheduler.goroutines", () => OfEach(static s => s.GoroutineCount), "{goroutine}", "Goroutines that exist.");
        meter.CreateObservableCounter(
            "netgo.scheduler.goroutines.created", () => OfEach(static s => s.SpawnCount), "{goroutine}", "Goroutines that have been started.");
        meter.CreateObservableCounter(
            "netgo.scheduler.runs", () => OfProcessors(static p => p.Runs), "{run}", "How often a processor has run a goroutine.");
    }

    private static void AddQueues(Meter meter)
    {
        meter.CreateObservableUpDownCounter(
            "netgo.scheduler.local_queue.length", () => OfProcessors(static p => (long)p.QueueLength), "{goroutine}", "Runnable goroutines on the queue of a processor.");
        meter.CreateObservableUpDownCounter(
            "netgo.scheduler.global_queue.length", () => OfEach(static s => (long)s.GetStatistics().GlobalQueueLength), "{goroutine}",
            "Runnable goroutines on the queue that belongs to no processor.");
        meter.CreateObservableCounter(
            "netgo.scheduler.steals", () => OfProcessors(static p => p.Steals), "{steal}", "How often a processor has taken work from another's queue.");
        meter.CreateObservableUpDownCounter(
            "netgo.scheduler.timers", () => OfProcessors(static p => (long)p.Timers), "{timer}", "Timers that are pending.");
    }

    private static void AddProcessors(Meter meter)
    {
        meter.CreateObservableUpDownCounter(
            "netgo.scheduler.processors",
            () => OfEach("netgo.processor.state", static s => [("idle", s.IdleProcessors), ("running", s.Processors.Count - s.IdleProcessors)]),
            "{processor}", "Processors, by whether their machine sleeps in the poller.");
        meter.CreateObservableCounter(
            "netgo.scheduler.processor.idle_time", () => OfProcessors(static p => p.IdleTime.TotalSeconds), "s", "How long a processor has had nothing to do.");
        meter.CreateObservableCounter(
            "netgo.scheduler.handoffs",
            () => OfEach(
                "netgo.handoff.reason",
                static s => [("blocked", s.BlockedHandOffs), ("syscall", s.SyscallHandOffs), ("time_slice", s.TimeSliceHandOffs)]),
            "{handoff}", "How often a processor was taken from a machine, by what that did: slept in the kernel, was in Go.Blocking, computed for longer than its time slice.");
    }

    private static void AddMachines(Meter meter)
    {
        meter.CreateObservableUpDownCounter(
            "netgo.scheduler.machines",
            () => OfEach(
                "netgo.machine.state",
                static s => [("idle", s.IdleMachines), ("spinning", s.SpinningMachines), ("other", Math.Max(0, s.Machines - s.IdleMachines - s.SpinningMachines))]),
            "{machine}", "Threads that run goroutines: without a processor and work, looking for work, and all others.");
    }

    private static void AddNetpoll(Meter meter)
    {
        meter.CreateObservableCounter(
            "netgo.netpoll.polls", () => OfProcessors(static p => p.Polls), "{poll}", "How often a poller has been asked, sleeping or not.");
        meter.CreateObservableCounter(
            "netgo.netpoll.ready", () => OfProcessors(static p => p.PolledReady), "{goroutine}", "Goroutines that polls have made ready.");
        meter.CreateObservableCounter(
            "netgo.netpoll.batches", () => OfEach("netgo.netpoll.batch", Batches), "{poll}", "Polls, by how many goroutines they have made ready.");
    }

    private static (string, long)[] Batches(SchedulerStatistics statistics)
    {
        int length = statistics.Processors[0].PollBatches.Count;
        var batches = new (string, long)[length];
        for (int i = 0; i < length; i++)
            batches[i] = (BatchName(i, length), statistics.Processors.Sum(p => p.PollBatches[i]));
        return batches;
    }

    private static string BatchName(int place, int length)
    {
        if (place < 2)
            return place.ToString(CultureInfo.InvariantCulture);
        int least = 1 << (place - 1);
        return place == length - 1 ? $"{least}-" : $"{least}-{(2 * least) - 1}";
    }

    private static List<Measurement<long>> OfEach(Func<GoScheduler, long> value)
    {
        var measurements = new List<Measurement<long>>();
        foreach ((GoScheduler scheduler, string name) in LiveSchedulers.Snapshot())
            measurements.Add(new(value(scheduler), new KeyValuePair<string, object?>(SchedulerTag, name)));
        return measurements;
    }

    private static List<Measurement<long>> OfEach(string tag, Func<SchedulerStatistics, (string, long)[]> values)
    {
        var measurements = new List<Measurement<long>>();
        foreach ((GoScheduler scheduler, string name) in LiveSchedulers.Snapshot())
        {
            foreach ((string kind, long value) in values(scheduler.GetStatistics()))
                measurements.Add(new(value, new(SchedulerTag, name), new(tag, kind)));
        }
        return measurements;
    }

    private static List<Measurement<T>> OfProcessors<T>(Func<ProcessorStatistics, T> value)
        where T : struct
    {
        var measurements = new List<Measurement<T>>();
        foreach ((GoScheduler scheduler, string name) in LiveSchedulers.Snapshot())
        {
            foreach (ProcessorStatistics processor in scheduler.GetStatistics().Processors)
                measurements.Add(new(value(processor), new(SchedulerTag, name), new(ProcessorTag, processor.Index)));
        }
        return measurements;
    }
}
