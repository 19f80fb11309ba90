using System.Runtime.CompilerServices;

namespace NetGo;

// Making goroutines ready: the queues of the processors, the global one, and who is woken to serve them.
public sealed partial class GoScheduler
{
    private const int MaxGlobalShare = RunQueue.Capacity / 2;

    private readonly IdleProcessors _idle = new();

    // Guarded by _lock.
    private GoroutineQueue _global;
    private GoroutineQueue _freeList;

    private int _globalCount;

    /// <summary>Puts a parked goroutine back on a run queue; Go's goready. The caller alone holds the right to.</summary>
    /// <param name="g">The goroutine.</param>
    /// <param name="next">To be run next by this processor, in the time slice of the running one.</param>
    internal void Ready(Goroutine g, bool next)
    {
        g.MarkRunnable();
        if (TryEnqueueHere(g, next))
            return;
        if (!WokenFromOutside && Machine.OfThisThread?.Scheduler != this)
            WokenFromOutside = true; // once: all machines read what lies beside it
        EnqueueGlobal(g);
    }

    /// <summary>A thread that runs none of its goroutines has made one ready.</summary>
    internal bool WokenFromOutside { get; private set; }

    /// <summary>Puts a goroutine that is marked runnable on the queue of this thread's processor, else on the global one.</summary>
    internal void Enqueue(Goroutine g, bool next)
    {
        if (!TryEnqueueHere(g, next))
            EnqueueGlobal(g);
    }

    private bool TryEnqueueHere(Goroutine g, bool next)
    {
        if (Machine.OfThisThread is { } machine && machine.Scheduler == this)
        {
            Processor? p = machine.Pin(out int previous);
            if (p is not null)
            {
                p.Put(g, next);
                // Whoever makes another ready to run next is about to park, most often: waking a processor to steal that one
                // would only move it away from here. Should it compute on instead, sysmon wakes one.
                bool wake = !next || p.HasMoreThanNext;
                machine.Unpin(previous);
                if (wake)
                    WakeOne();
                return true;
            }
            machine.Unpin(previous);
        }
        return false;
    }

    /// <summary>Puts a goroutine that gives way on the queue. Nobody is woken when there is no other: this processor will run it
    /// at once.</summary>
    internal void EnqueueYielding(Goroutine g)
    {
        if (Machine.OfThisThread is { } machine && machine.Scheduler == this)
        {
            Processor? p = machine.Pin(out int previous);
            if (p is not null)
            {
                bool alone = !p.HasLocalWork;
                p.Put(g, next: false);
                machine.Unpin(previous);
                if (!alone)
                    WakeOne();
                return;
            }
            machine.Unpin(previous);
        }
        EnqueueGlobal(g);
    }

    private void EnqueueGlobal(Goroutine g)
    {
        GoroutineQueue one = default;
        one.PushBack(g);
        EnqueueGlobal(ref one);
    }

    internal void EnqueueGlobal(ref GoroutineQueue queue)
    {
        if (queue.Count == 0)
            return;
        lock (_lock)
        {
            _global.PushBackAll(ref queue);
            Volatile.Write(ref _globalCount, _global.Count);
        }
        WakeOne();
    }

    internal bool HasGlobalWork => Volatile.Read(ref _globalCount) > 0;

    internal Goroutine? TakeOneOfGlobal()
    {
        if (!HasGlobalWork)
            return null;
        lock (_lock)
        {
            Goroutine? g = _global.PopFront();
            Volatile.Write(ref _globalCount, _global.Count);
            return g;
        }
    }

    /// <summary>One goroutine to run, and this processor's share of the rest onto its ring, which is empty; Go's
    /// globrunqget.</summary>
    internal Goroutine? TakeShareOfGlobal(Processor processor)
    {
        if (!HasGlobalWork)
            return null;
        lock (_lock)
        {
            int share = Math.Min(_global.Count / _processors.Length + 1, MaxGlobalShare);
            Goroutine? first = _global.PopFront();
            while (--share > 0 && _global.PopFront() is { } g)
                processor.Put(g, next: false);
            Volatile.Write(ref _globalCount, _global.Count);
            return first;
        }
    }

    /// <summary>This processor's share of the global queue onto its own, which a policy orders.</summary>
    internal void TakeShareOfGlobalIntoQueue(Processor processor)
    {
        GoroutineQueue taken = default;
        lock (_lock)
        {
            int share = _global.Count / _processors.Length + 1;
            while (share-- > 0 && _global.PopFront() is { } g)
                taken.PushBack(g);
            Volatile.Write(ref _globalCount, _global.Count);
        }
        while (taken.PopFront() is { } g)
            processor.Put(g, next: false);
    }

    /// <summary>False: a processor leaves what is on the queues of others to them. For experiments. What sysmon finds in the poller of a busy processor
    /// goes to the global queue nevertheless.</summary>
    internal bool StealsWork { get; set; } = true;

    internal bool AnyOtherHasWork(Processor processor)
    {
        if (!StealsWork)
            return false;
        foreach (Processor other in _processors)
        {
            if (other != processor && other.HasLocalWork)
                return true;
        }
        return false;
    }

    internal void RefillFreeList(ref GoroutineQueue free, int count)
    {
        if (_freeList.Count == 0)
            return;
        lock (_lock)
        {
            while (count-- > 0 && _freeList.PopFront() is { } g)
                free.PushBack(g);
        }
    }

    internal void SpillFreeList(ref GoroutineQueue free, int count)
    {
        lock (_lock)
        {
            while (count-- > 0 && free.PopFront() is { } g)
                _freeList.PushBack(g);
        }
    }

    internal bool IsIdle(Processor p) => _idle.IsIdle(p.Index);

    internal void SetIdle(Processor p) => _idle.Set(p.Index);

    /// <summary>False when it was not idle any more: who cleared it is about to wake its poller.</summary>
    internal bool ClearIdle(Processor p)
    {
        bool wasIdle = _idle.TryClear(p.Index);
        _sysmon.WakeIfAsleep();
        return wasIdle;
    }

    internal bool AnyIdle => _idle.AnyOf(_processors.Length);

    internal bool AllIdle => _idle.AllOf(_processors.Length);

    /// <summary>Wakes an idle processor to look for work, unless one is looking already; Go's wakep.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void WakeOne()
    {
        if (_idle.ShouldWake(_processors.Length))
            WakeOneSlow();
    }

    private void WakeOneSlow()
    {
        if (!StealsWork && !HasGlobalWork)
            return; // who woke would find nothing
        Processor[] processors = _processors; // once: their number may change
        int index = _idle.TakeToWake(processors.Length);
        if (index < 0)
            return;
        _sysmon.WakeIfAsleep();
        processors[index].Poller.Wake();
    }

    /// <summary>Wakes this processor if it is idle. It starts out spinning.</summary>
    internal void WakeProcessor(Processor p)
    {
        if (!_idle.TryTakeToWake(p.Index))
        {
            WakeOne(); // somebody may have left new work to us, who were counted as looking for some
            return;
        }
        _sysmon.WakeIfAsleep();
        p.Poller.Wake();
    }

    /// <summary>At most half of the processors may look for work in others' queues at a time.</summary>
    internal bool TryBeginSpinning() => _idle.TryBeginSpinning(_processors.Length);

    internal void EndSpinning() => _idle.EndSpinning();
}
