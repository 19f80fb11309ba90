namespace NetGo.Interleaving;

internal enum OptionKind
{
    /// <summary>The thread goes on.</summary>
    Run,

    /// <summary>The oldest store in the thread's buffer reaches memory.</summary>
    Flush,

    /// <summary>The thread's store goes to memory.</summary>
    Store,

    /// <summary>The thread's store goes to its buffer.</summary>
    Delay,
}

internal readonly record struct Option(OptionKind Kind, VirtualThread Thread);

/// <summary>Decides, at each point with more than one option, which it is. Option 0 is the one that changes nothing: the same
/// thread goes on, the store reaches memory.</summary>
internal interface IDecisions
{
    int Decide(List<Option> options);

    /// <summary>Prepares for the next run; false when there is none.</summary>
    bool MoveNext();
}

/// <summary>All lists, in lexical order: each run repeats the one before up to the last decision that has an option left.</summary>
internal sealed class DepthFirst : IDecisions
{
    private readonly List<(int Chosen, int Options)> _path = [];
    private int _depth;

    public int Decide(List<Option> options)
    {
        if (_depth == _path.Count)
            _path.Add((0, options.Count));
        else if (_path[_depth].Options != options.Count)
            throw new InvalidOperationException("The test is not deterministic: the same decisions led to another place.");
        return _path[_depth++].Chosen;
    }

    public bool MoveNext()
    {
        _depth = 0;
        while (_path.Count > 0)
        {
            (int chosen, int options) = _path[^1];
            _path.RemoveAt(_path.Count - 1);
            if (chosen + 1 < options)
            {
                _path.Add((chosen + 1, options));
                return true;
            }
        }
        return false;
    }
}

/// <summary>Probabilistic concurrency testing (Burckhardt and others, 2010): the thread of the highest priority goes on; at a
/// few random moments the running thread's falls below all others'. Stores are delayed, and reach memory, by the toss of a
/// coin whose bias changes from run to run.</summary>
internal sealed class RandomPriorities : IDecisions
{
    private const int Changes = 3;

    private readonly Random _random;
    private readonly Dictionary<int, int> _priorities = [];
    private readonly int[] _changeAt = new int[Changes];
    private int _decided;
    private int _expectedLength = 20;
    private int _lowest;
    private double _delay;
    private double _flush;

    public RandomPriorities(int seed)
    {
        _random = new Random(seed);
        Prepare();
    }

    public int Decide(List<Option> options)
    {
        _decided++;
        if (options[0].Kind == OptionKind.Store)
            return _random.NextDouble() < _delay ? 1 : 0;
        int flush = options.FindIndex(static o => o.Kind == OptionKind.Flush);
        if (flush >= 0 && (flush == 0 || _random.NextDouble() < _flush))
            return flush;
        if (Array.IndexOf(_changeAt, _decided) >= 0)
            _priorities[options[0].Thread.Index] = --_lowest;
        int best = 0;
        for (int i = 1; i < options.Count; i++)
        {
            if (options[i].Kind == OptionKind.Run && Priority(options[i]) > Priority(options[best]))
                best = i;
        }
        return best;
    }

    private int Priority(Option option)
    {
        int thread = option.Thread.Index;
        if (!_priorities.TryGetValue(thread, out int priority))
            _priorities[thread] = priority = _random.Next(1, int.MaxValue);
        return priority;
    }

    public bool MoveNext()
    {
        _expectedLength = Math.Max(_expectedLength, _decided);
        Prepare();
        return true;
    }

    private void Prepare()
    {
        _decided = 0;
        _lowest = 0;
        _priorities.Clear();
        for (int i = 0; i < Changes; i++)
            _changeAt[i] = _random.Next(1, _expectedLength + 1);
        _delay = _random.NextDouble();
        _flush = _random.NextDouble() / 2;
    }
}

/// <summary>A given list, and 0 after its end.</summary>
internal sealed class Given(IReadOnlyList<int> decisions) : IDecisions
{
    private int _next;

    public int Decide(List<Option> options) => _next < decisions.Count ? Math.Min(decisions[_next++], options.Count - 1) : 0;

    public bool MoveNext() => false;
}
