namespace NetGo;

// The processors, and how their number changes while they are in use. A processor is
//
//   Active     one of _processors: others steal from it, and count on it
//   Retiring   not among them any more, but a machine holds it still: it goes on running goroutines until that machine comes by
//              in FindRunnable, or sysmon takes the processor from it
//   Retired    what it had is with the others: its queue in the global one, its timers and its poller with processor 0. No
//              machine holds it; it is kept for when the number goes up again
//
//   from       to         by
//   Active     Retiring   SetMaxProcs
//   Retiring   Active     SetMaxProcs: it never was gone
//   Retiring   Retired    whoever holds it, and thereby does not any more
//   Retired    Active     SetMaxProcs, which gives it to a machine
//
// all under _resizeLock; only Retiring is also read without. Go stops the world instead. Processor 0 is never retired, so what
// was moved to it is never moved again.
public sealed partial class GoScheduler
{
    private readonly Lock _resizeLock = new();

    /// <summary>Those in use. Replaced as a whole, under _resizeLock.</summary>
    private volatile Processor[] _processors;

    /// <summary>With those retired. Replaced as a whole, under _resizeLock.</summary>
    private volatile Processor[] _allProcessors;

    private Func<int, IPoller>? _makePoller;

    /// <summary>The number of processors: how many goroutines run at the same time; Go's GOMAXPROCS. May be changed at any
    /// time. What the processors had that are taken away, goroutines, timers and pollers, goes on on the others. 1 to
    /// 1024.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not in that range.</exception>
    public int MaxProcs
    {
        get => _processors.Length;
        set => SetMaxProcs(value);
    }

    internal ReadOnlySpan<Processor> Processors => _processors;

    internal ReadOnlySpan<Processor> AllProcessors => _allProcessors;

    private void SetMaxProcs(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(MaxProcs));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, IdleProcessors.Max, nameof(MaxProcs));
        ObjectDisposedException.ThrowIf(_stopping, this);
        if (_simulation is not null)
            return; // one thread runs everything
        lock (_resizeLock)
        {
            if (count < _processors.Length)
                Shrink(count);
            else if (count > _processors.Length)
                Grow(count);
        }
    }

    private void Shrink(int count)
    {
        Processor[] before = _processors;
        _processors = before[..count];
        foreach (Processor p in before.AsSpan(count))
        {
            p.Phase = ProcessorPhase.Retiring;
            Interlocked.MemoryBarrier(); // either we see the idle bit, or the machine going idle sees that it is retiring
            if (IsIdle(p))
                WakeProcessor(p);
        }
    }

    private void Grow(int count)
    {
        Processor[] all = _allProcessors;
        int known = all.Length;
        if (count > known)
        {
            Array.Resize(ref all, count);
            for (int i = known; i < count; i++)
                all[i] = new Processor(this, i) { Phase = ProcessorPhase.Retired };
        }
        Span<Processor> added = all.AsSpan(_processors.Length, count - _processors.Length);
        List<Machine> machines = [];
        foreach (Processor p in added)
        {
            if (p.Phase != ProcessorPhase.Retired)
                continue; // its machine has it still
            if (ReserveMachine() is not { } machine)
            {
                machines.ForEach(m => m.Resume(null));
                throw new MachineLimitException(_maxMachines);
            }
            machines.Add(machine);
        }
        _allProcessors = all;
        List<Processor> toStart = [];
        foreach (Processor p in added)
        {
            if (p.Phase == ProcessorPhase.Retired)
            {
                TakeBack(p);
                toStart.Add(p);
            }
            p.Phase = ProcessorPhase.Active;
        }
        _processors = all[..count];
        for (int i = 0; i < toStart.Count; i++)
            GiveToMachine(toStart[i], machines[i]);
    }

    private void TakeBack(Processor p)
    {
        p.Timers.StopForwarding();
        if (_makePoller is null)
            return;
        if (p.AttachedPoller is { } poller)
            _processors[0].AttachedPoller!.Release(poller);
        else
            Volatile.Write(ref p.AttachedPoller, _makePoller(p.Index));
    }

    /// <summary>Moves what a retiring processor has to the others. The caller holds it, and gives it up by this. False when it
    /// does not retire any more.</summary>
    internal bool TryDismantle(Processor p)
    {
        GoroutineQueue queue = default;
        lock (_resizeLock)
        {
            if (p.Phase != ProcessorPhase.Retiring)
                return false;
            Processor first = _processors[0];
            if (p.AttachedPoller is { } poller && !first.AttachedPoller!.TryAdopt(poller))
                return false; // perhaps the next time
            p.Drain(ref queue);
            p.Timers.MoveAllTo(first.Timers);
            p.Machine = null;
            p.Phase = ProcessorPhase.Retired;
        }
        EnqueueGlobal(ref queue);
        return true;
    }

    // ---- Pollers ----

    /// <summary>The poller that the network uses for a processor, made at the first use by <paramref name="make"/>.
    /// Netpoll's initialization; Go's netpollGenericInit.</summary>
    /// <param name="index">The processor's number; one that is too high stands for its rest by the number of
    /// processors.</param>
    /// <param name="make">Makes the poller of a processor.</param>
    /// <exception cref="NotSupportedException">The scheduler is a simulation's.</exception>
    internal IPoller PollerFor(int index, Func<int, IPoller> make)
    {
        if (_simulation is not null)
            throw new NotSupportedException("There is no network in a simulation.");
        Processor[] processors = _processors;
        Processor p = processors[index % processors.Length];
        if (Volatile.Read(ref p.AttachedPoller) is { } attached)
            return attached;
        AttachPollers(make);
        return Volatile.Read(ref p.AttachedPoller)!;
    }

    private void AttachPollers(Func<int, IPoller> make)
    {
        lock (_resizeLock)
        {
            if (_makePoller is not null)
                return;
            Processor[] all = _allProcessors;
            IPoller[] pollers = new IPoller[all.Length];
            for (int i = 0; i < pollers.Length; i++)
                pollers[i] = make(i);
            for (int i = 0; i < pollers.Length; i++)
            {
                // One that is retired has had its number given to a caller of PollerFor a moment ago, perhaps.
                if (all[i].Phase == ProcessorPhase.Retired && !pollers[0].TryAdopt(pollers[i]))
                    throw new IOException("The system has no room for the poller of a processor that is not in use.");
                Volatile.Write(ref all[i].AttachedPoller, pollers[i]);
            }
            _makePoller = make;
        }
        Interlocked.MemoryBarrier();
        foreach (Processor p in _processors)
        {
            if (IsIdle(p))
                WakeProcessor(p);
        }
    }
}
