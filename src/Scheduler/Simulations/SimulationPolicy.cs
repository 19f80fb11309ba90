namespace NetGo;

// What runs next in a simulation. No single way of choosing finds all mistakes, so the seed chooses the way too:
//
//   Random     any that can run, each time
//   Fifo       in order, with an exception now and then: finds what a fair order hides least, and is nearest to production
//   Priority   each goroutine has a random priority and the highest runs, except that at a few random steps the running one
//              falls behind all others (PCT; Burckhardt et al., "A Randomized Scheduler with Probabilistic Guarantees of
//              Finding Bugs", ASPLOS 2010): finds what needs one goroutine to be held up for long
internal sealed class SimulationPolicy : SchedulingPolicy
{
    private const int PriorityChanges = 3;
    private const int UnlimitedBudget = 128;

    private enum Strategy
    {
        Random,
        Fifo,
        Priority,
    }

    private readonly SimulationRandom _random;
    private readonly Strategy _strategy;
    private readonly int _interruptOneIn;
    private readonly Dictionary<long, long> _priorities = [];
    private readonly long[] _changesAt = new long[PriorityChanges];
    private long _lowest;

    public SimulationPolicy(SimulationRandom random)
    {
        _random = random;
        _strategy = (Strategy)random.Below(3);
        _interruptOneIn = 1 + random.Below(4);
        int horizon = 8 << random.Below(9);
        for (int i = 0; i < _changesAt.Length; i++)
            _changesAt[i] = random.Below(horizon);
    }

    /// <summary>How often a goroutine was chosen.</summary>
    public long Steps { get; private set; }

    /// <summary>Of who was chosen when (FNV-1a).</summary>
    public ulong TraceHash { get; private set; } = 14695981039346656037;

    public int NextBudget() => _random.OneIn(_interruptOneIn) ? _random.Below(6) : UnlimitedBudget;

    public override SchedulingOrder CreateOrder(int processor) => new Order(this);

    private int Choose(List<GoroutineRef> runnable)
    {
        switch (_strategy)
        {
            case Strategy.Random:
                return _random.Below(runnable.Count);
            case Strategy.Fifo:
                return _random.OneIn(8) ? _random.Below(runnable.Count) : 0;
            default:
                return ChooseByPriority(runnable);
        }
    }

    private int ChooseByPriority(List<GoroutineRef> runnable)
    {
        int best = Highest(runnable);
        if (Array.IndexOf(_changesAt, Steps) < 0)
            return best;
        _priorities[runnable[best].Id] = --_lowest;
        return Highest(runnable);
    }

    private int Highest(List<GoroutineRef> runnable)
    {
        int best = 0;
        for (int i = 1; i < runnable.Count; i++)
        {
            if (Priority(runnable[i]) > Priority(runnable[best]))
                best = i;
        }
        return best;
    }

    private long Priority(GoroutineRef g)
    {
        if (!_priorities.TryGetValue(g.Id, out long priority))
            _priorities[g.Id] = priority = _random.Next();
        return priority;
    }

    private void Record(GoroutineRef chosen, long now)
    {
        Steps++;
        TraceHash = (TraceHash ^ (ulong)chosen.Id) * 1099511628211;
        TraceHash = (TraceHash ^ (ulong)now) * 1099511628211;
    }

    private sealed class Order(SimulationPolicy policy) : SchedulingOrder
    {
        private readonly List<GoroutineRef> _runnable = [];

        public override void Add(GoroutineRef goroutine, bool next, long now) => _runnable.Add(goroutine);

        public override GoroutineRef TakeNext(long now)
        {
            int index = policy.Choose(_runnable);
            GoroutineRef chosen = _runnable[index];
            _runnable.RemoveAt(index);
            policy.Record(chosen, now);
            return chosen;
        }
    }
}
