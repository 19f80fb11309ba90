namespace NetGo;

// The schedulers of the process that have threads, for the meter and the event source, of which there is one each. They are known weakly, until they are
// disposed of. A simulation's is not among them: it lives for one run, and a test may make a hundred thousand of them.
internal static class LiveSchedulers
{
    private static readonly Lock s_lock = new();
    private static readonly List<Entry> s_entries = [];
    private static int s_lastNumber;

    private sealed class Entry(GoScheduler scheduler, int number)
    {
        public WeakReference<GoScheduler> Scheduler { get; } = new(scheduler);

        public int Number { get; } = number;

        public SchedulerObserver? Observer { get; set; }
    }

    /// <summary>To be called before locks are taken: whoever listens to event sources is told of ours, and may do anything.</summary>
    public static void Prepare()
    {
        SchedulerMetrics.Begin();
        _ = SchedulerEventSource.Log;
    }

    public static void Add(GoScheduler scheduler)
    {
        Prepare();
        lock (s_lock)
        {
            s_entries.RemoveAll(static e => !e.Scheduler.TryGetTarget(out _));
            var entry = new Entry(scheduler, ++s_lastNumber);
            s_entries.Add(entry);
            Observe(entry);
        }
    }

    public static void Remove(GoScheduler scheduler)
    {
        lock (s_lock)
            s_entries.RemoveAll(e => !e.Scheduler.TryGetTarget(out GoScheduler? known) || known == scheduler);
    }

    /// <summary>Those that there are, with their names: "default" for <see cref="GoScheduler.Default"/>, else a number, in the order in which they were
    /// made.</summary>
    public static List<(GoScheduler Scheduler, string Name)> Snapshot()
    {
        var all = new List<(GoScheduler Scheduler, string Name)>();
        lock (s_lock)
        {
            foreach (Entry entry in s_entries)
            {
                if (entry.Scheduler.TryGetTarget(out GoScheduler? scheduler))
                    all.Add((scheduler, scheduler.IsDefault ? "default" : entry.Number.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            }
        }
        return all;
    }

    /// <summary>The event source has been switched on or off, or to another level.</summary>
    public static void ObserveAll()
    {
        lock (s_lock)
        {
            foreach (Entry entry in s_entries)
                Observe(entry);
        }
    }

    private static void Observe(Entry entry)
    {
        if (!entry.Scheduler.TryGetTarget(out GoScheduler? scheduler))
            return;
        SchedulerObserver? wanted = SchedulerEventSource.Log?.NewObserver(entry.Number);
        if (wanted?.GetType() == entry.Observer?.GetType())
            return;
        if (entry.Observer is not null)
            scheduler.RemoveObserver(entry.Observer);
        if (wanted is not null)
            scheduler.AddObserver(wanted);
        entry.Observer = wanted;
    }
}
