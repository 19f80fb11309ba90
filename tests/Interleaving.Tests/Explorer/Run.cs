using System.Globalization;

namespace NetGo.Interleaving;

/// <summary>One run of a test: its threads, whose turn it is, and what has been decided.</summary>
internal sealed class Run
{
    private readonly IDecisions _source;
    private readonly ThreadSet _set;
    private readonly List<VirtualThread> _threads = [];
    private readonly List<Action> _finally = [];
    private readonly List<int> _decisions = [];
    private readonly List<Option> _options = [];
    private readonly SharedObjects _shared = new();
    private readonly SemaphoreSlim _over = new(0);
    private readonly bool _traces;
    private int _preemptionsLeft;
    private int _delaysLeft;
    private long _stores;
    private Exception? _failure;

    public Run(Bounds bounds, IDecisions source, ThreadSet set, bool trace)
    {
        Bounds = bounds;
        _source = source;
        _set = set;
        _traces = trace;
        _preemptionsLeft = bounds.Preemptions;
        _delaysLeft = bounds.DelayedStores;
    }

    public Bounds Bounds { get; }

    public IReadOnlyList<int> Decisions => _decisions;

    public List<string> TraceLines { get; } = [];

    public int Points { get; private set; }

    public Exception? Failure => _failure;

    public bool IsUnwinding => _failure is not null;

    // ---- For the setup of a test ----

    /// <summary>Declares a thread.</summary>
    public void Thread(string name, Action body)
    {
        VirtualThread thread = _set.Get(_threads.Count);
        thread.Assign(this, name, body);
        _threads.Add(thread);
    }

    /// <summary>Says what must hold when all threads have ended and all stores have reached memory.</summary>
    public void Finally(Action check) => _finally.Add(check);

    /// <summary>Makes known an object whose fields, and its arrays' elements, are stored to with Volatile.Write or a weakened
    /// interlocked operation: such stores can be delayed.</summary>
    public T Share<T>(T o) where T : class
    {
        if (Bounds.DelayedStores > 0)
            _shared.Add(o);
        return o;
    }

    // ---- For the code of a test's threads ----

    /// <summary>A point: others may go on here.</summary>
    public static void Point() => VirtualThread.Current?.Run.Point(VirtualThread.Current);

    /// <summary>Waits until something is true, which is about plain state that the test changes between points. A run in which
    /// all threads that have not ended wait fails.</summary>
    public static void WaitUntil(string what, Func<bool> condition)
    {
        VirtualThread self = VirtualThread.Current!;
        self.Run.Point(self);
        self.Run.Wait(self, what, condition);
    }

    /// <summary>Whether all stores have reached memory.</summary>
    public bool NothingIsDelayed => _threads.TrueForAll(static t => t.Stores.Count == 0);

    // ---- Running ----

    public void Execute(Action<Run> setup)
    {
        try
        {
            setup(this);
            PassTurn(null);
            _over.Wait();
            if (_failure is null)
                _finally.ForEach(static check => check());
        }
        catch (Exception e)
        {
            Fail(e);
        }
        finally
        {
            _shared.Dispose();
        }
    }

    public void Fail(Exception e) => _failure ??= e;

    /// <summary>Called by a thread that has the turn, before a shared operation.</summary>
    public void Point(VirtualThread self)
    {
        ThrowIfUnwinding();
        if (++Points > Bounds.MaxPoints)
        {
            Fail(new InvalidOperationException($"No end after {Bounds.MaxPoints} points: a livelock?"));
            throw new UnwindException();
        }
        // A thread that has just been given its first turn has done nothing yet: to stop it here is not to have started it.
        if (self.HasBegun || Bounds.PlainAccesses)
            PassTurn(self);
        self.HasBegun = true;
    }

    /// <summary>Called after a shared operation, so that the plain code behind it is a step of its own.</summary>
    public void PointBeforePlainCode(VirtualThread self)
    {
        if (Bounds.PlainAccesses)
            Point(self);
    }

    /// <summary>Gives way until the condition is true.</summary>
    public void Wait(VirtualThread self, string what, Func<bool> condition)
    {
        if (condition())
            return;
        Trace(self, $"waits for {what}");
        self.WaitsFor = condition;
        PassTurn(self);
    }

    /// <summary>Gives way until another thread has stored something, or no other can go on.</summary>
    public void Spin(VirtualThread self)
    {
        self.SpinsSince = _stores;
        Point(self);
    }

    public void Ended(VirtualThread self)
    {
        if (_failure is null && PassTurn(self))
            return;
        // The others unwind, one after the other.
        if (_threads.Find(static t => !t.HasEnded) is { } next)
            next.GiveTurn();
        else
            _over.Release();
    }

    private void ThrowIfUnwinding()
    {
        if (IsUnwinding)
            throw new UnwindException();
    }

    // Decides who goes on, and returns when the caller does, unless it has ended. False when nobody can.
    private bool PassTurn(VirtualThread? self)
    {
        VirtualThread? next = Next(self);
        if (next is null)
        {
            if (_threads.TrueForAll(static t => t.HasEnded))
            {
                _over.Release();
                return true;
            }
            string waiting = string.Join(", ", _threads.Where(static t => !t.HasEnded).Select(static t => t.Name));
            Fail(new InvalidOperationException($"A deadlock: all threads that have not ended wait ({waiting})."));
            if (self is { HasEnded: false })
                throw new UnwindException();
            return false;
        }
        next.WaitsFor = null;
        next.SpinsSince = -1;
        if (next == self)
            return true;
        bool returns = self is { HasEnded: false };
        next.GiveTurn();
        if (returns)
        {
            self!.WaitForTurn();
            ThrowIfUnwinding();
        }
        return true;
    }

    private VirtualThread? Next(VirtualThread? self)
    {
        self?.Stores.TakeOut();
        VirtualThread? next = Choose(self);
        next?.Stores.PutIn();
        return next;
    }

    private VirtualThread? Choose(VirtualThread? self)
    {
        while (true)
        {
            _options.Clear();
            bool canGoOn = self is not null && CanGoOn(self);
            if (canGoOn)
                _options.Add(new Option(OptionKind.Run, self!));
            if (!canGoOn || _preemptionsLeft > 0)
                AddOthers(self);
            AddFlushes(except: canGoOn ? self : null);
            if (_options.Count == 0)
                return OneThatSpins(self);
            Option chosen = _options[Decide()];
            if (chosen.Kind == OptionKind.Flush)
            {
                FlushOldest(chosen.Thread);
                continue;
            }
            if (canGoOn && chosen.Thread != self)
            {
                _preemptionsLeft--;
                FlushSomeBefore(chosen.Thread, self!);
            }
            return chosen.Thread;
        }
    }

    private void AddOthers(VirtualThread? self)
    {
        foreach (VirtualThread other in InTurn(self))
        {
            if (other != self && CanGoOn(other))
                _options.Add(new Option(OptionKind.Run, other));
        }
    }

    // Nobody else can go on: it looks again.
    private VirtualThread? OneThatSpins(VirtualThread? self) => InTurn(self).FirstOrDefault(static t => !t.HasEnded && t.WaitsFor is null);

    // From the one behind the caller, so that option 0 is fair to threads that wait for one another.
    private IEnumerable<VirtualThread> InTurn(VirtualThread? self)
    {
        int first = self is null ? 0 : self.Index + 1;
        for (int i = 0; i < _threads.Count; i++)
            yield return _threads[(first + i) % _threads.Count];
    }

    private void AddFlushes(VirtualThread? except)
    {
        foreach (VirtualThread thread in _threads)
        {
            if (thread != except && thread.Stores.Count > 0)
                _options.Add(new Option(OptionKind.Flush, thread));
        }
    }

    // When a thread's delayed stores reach memory matters to others only, so that of the running one is decided when it stops.
    private void FlushSomeBefore(VirtualThread next, VirtualThread stopped)
    {
        while (stopped.Stores.Count > 0)
        {
            _options.Clear();
            _options.Add(new Option(OptionKind.Run, next));
            _options.Add(new Option(OptionKind.Flush, stopped));
            if (Decide() == 0)
                return;
            FlushOldest(stopped);
        }
    }

    private bool CanGoOn(VirtualThread thread) =>
        !thread.HasEnded && (thread.WaitsFor is null || thread.WaitsFor()) && (thread.SpinsSince < 0 || thread.SpinsSince < _stores);

    private int Decide()
    {
        if (_options.Count == 1)
            return 0;
        int decision = _source.Decide(_options);
        _decisions.Add(decision);
        return decision;
    }

    // ---- Memory ----

    /// <summary>Whether a store goes to the buffer. An empty buffer means that it may go either way.</summary>
    public bool DelaysStore(VirtualThread self, nint address, Place place)
    {
        if (Bounds.DelayedStores == 0)
            return false;
        if (!_shared.Contains(address))
            throw new InvalidOperationException($"{place} is not in an object that was given to Share.");
        if (self.Stores.Count > 0)
            return true;
        if (_delaysLeft == 0)
            return false;
        _options.Clear();
        _options.Add(new Option(OptionKind.Store, self));
        _options.Add(new Option(OptionKind.Delay, self));
        if (Decide() == 0)
            return false;
        _delaysLeft--;
        return true;
    }

    public void StoreReachedMemory() => _stores++;

    /// <summary>A fence of the thread that has the turn.</summary>
    public void Drain(VirtualThread self)
    {
        _stores += self.Stores.Count;
        self.Stores.Clear();
    }

    /// <summary>A fence in every thread, by the one that has the turn.</summary>
    public void DrainAll(VirtualThread self)
    {
        Drain(self);
        foreach (VirtualThread other in _threads)
            DrainOther(other);
    }

    /// <summary>Lets all stores of a thread that does not have the turn, if it is not the caller, reach memory.</summary>
    public void DrainOther(VirtualThread other)
    {
        if (other == VirtualThread.Current)
            return;
        while (other.Stores.Count > 0)
            FlushOldest(other);
    }

    private void FlushOldest(VirtualThread thread)
    {
        Trace(thread, "(its oldest delayed store reaches memory)");
        thread.Stores.FlushOldest();
        _stores++;
    }

    // ---- Trace ----

    public void Trace(VirtualThread thread, string what)
    {
        if (_traces)
            TraceLines.Add(string.Create(CultureInfo.InvariantCulture, $"{TraceLines.Count,4}  {thread.Name,-10} {what}"));
    }

    public bool Traces => _traces;
}
