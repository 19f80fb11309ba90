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
    /// <remarks>Setting it does nothing in a simulation. When it fails, the number stays what it was.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">Not in that range.</exception>
    /// <exception cref="ObjectDisposedException">The scheduler has been disposed.</exception>
    /// <exception cref="MachineLimitException">There may not be that many threads.</exception>
    /// <exception cref="IOException">The system has no room for the pollers.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The same.</exception>
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
        // Whatever can fail comes first, and is undone when something does.
        Processor[] added = all[_processors.Length..count];
        Processor[] retired = [.. added.Where(static p => p.Phase == ProcessorPhase.Retired)]; // the others have their machines still
        List<Machine> machines = [];
        List<IPoller> made = [];
        List<Processor> released = [];
        try
        {
            foreach (Processor p in retired)
            {
                machines.Add(ReserveMachine() ?? throw new MachineLimitException(_maxMachines));
                if (_makePoller is not null && p.AttachedPoller is null)
                    made.Add(_makePoller(p.Index));
            }
            foreach (Processor p in retired)
            {
                if (p.AttachedPoller is not { } poller)
                    continue;
                if (!_processors[0].AttachedPoller!.TryRelease(poller))
                    throw new IOException("The system has no room for the poller of a processor.");
                released.Add(p);
            }
        }
        catch
        {
            foreach (Processor p in all.AsSpan(known))
                p.Dispose();
            machines.ForEach(Unreserve);
            made.ForEach(static poller => poller.Dispose());
            released.ForEach(p => _processors[0].AttachedPoller!.TryAdopt(p.AttachedPoller!));
            throw;
        }
        int next = 0;
        foreach (Processor p in retired)
        {
            p.Timers.StopForwarding();
            if (_makePoller is not null && p.AttachedPoller is null)
                Volatile.Write(ref p.AttachedPoller, made[next++]);
        }
        foreach (Processor p in added)
            p.Phase = ProcessorPhase.Active;
        _allProcessors = all;
        _processors = all[..count];
        for (int i = 0; i < retired.Length; i++)
            GiveToMachine(retired[i], machines[i]);
    }

    /// <summary>Moves what a retiring processor has to the others. The caller holds it, and gives it up by this. False when it
    /// does not retire any more.</summary>
    internal bool TryDismantle(Processor p)
    {
        GoroutineQueue queue = default;
        bool adopted;
        lock (_resizeLock)
        {
            if (p.Phase != ProcessorPhase.Retiring)
                return false;
            Processor first = _processors[0];
            adopted = p.AttachedPoller is not { } poller || first.AttachedPoller!.TryAdopt(poller);
            if (adopted)
            {
                p.Drain(ref queue);
                p.Timers.MoveAllTo(first.Timers);
                p.Machine = null;
                p.Phase = ProcessorPhase.Retired;
            }
        }
        if (!adopted)
        {
            Thread.Sleep(1); // the system has no room for the poller with the first: it stays as it is until there is
            return false;
        }
        p.Buffers.Flush();
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
            List<IPoller> pollers = [];
            try
            {
                foreach (Processor p in all)
                {
                    pollers.Add(make(p.Index));
                    // One that is retired may be meant all the same: its number was given to the caller a moment ago, perhaps.
                    if (p.Phase == ProcessorPhase.Retired && !pollers[0].TryAdopt(pollers[^1]))
                        throw new IOException("The system has no room for the poller of a processor that is not in use.");
                }
            }
            catch
            {
                pollers.ForEach(static poller => poller.Dispose());
                throw;
            }
            for (int i = 0; i < all.Length; i++)
                Volatile.Write(ref all[i].AttachedPoller, pollers[i]);
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
