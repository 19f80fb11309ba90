using System.Diagnostics;

namespace NetGo;

// Goroutines that are bound to a thread (wired): those in Go.Blocking, whose frames stand on it, and those that called
// LockOSThread, with their branches.
//
// Blocking (Go's entersyscall and exitsyscall). The goroutine goes to Syscall and the machine says so in _inSyscall; everything
// else is sysmon's: when it sees the same call 20 us later it takes the processor, as from code that blocks undeclared. On the
// way out, with the processor still there, the goroutine is Running again. Otherwise it has to wait for one like any other that
// is ready: it is wired to this machine and put on the global queue.
//
// Locked (Go's lockOSThread). The goroutine is wired to its machine until it unlocks. When it parks, the machine gives its
// processor to another machine and waits; when it ends while locked, the thread ends with it, for it may have been changed in
// ways that nobody else should find.
//
// Who takes a wired goroutine from a queue offers it to its machine, W. Under W's _wiredLock:
//
//   W takes none                 (it was unlocked in the meantime) the taker runs it like any other
//   W has a processor, or one    it goes on W's own queue, which W looks at before it gives its processor away; should sysmon have
//   is on its way                taken that processor, W puts what is on its queue back on the global one
//   else                         it goes on W's own queue, and the taker gives W its processor
internal sealed partial class Machine
{
    private volatile bool _inSyscall;
    private uint _syscallTick;
    private bool _isLocked;
    private bool _endsWithGoroutine;

    private readonly Lock _wiredLock = new();

    // Guarded by _wiredLock.
    private GoroutineQueue _wired;
    private bool _takesWired;
    private bool _hasProcessor;

    // Somebody is about to resume it with a processor: it must wait for that.
    private bool _promised;

    // In WaitOnQueue: it takes the goroutine that it waits for, whatever becomes of the lock.
    private bool _waitsOnQueue;

    /// <summary>Sysmon: whether it is in Go.Blocking, and in which call.</summary>
    public bool IsInSyscall(out uint call)
    {
        call = Volatile.Read(ref _syscallTick);
        return _inSyscall;
    }

    /// <summary>The code that runs on it is about to block. False when it had said so before.</summary>
    public bool TryEnterSyscall()
    {
        if (_inSyscall || Scheduler.Simulation is not null)
            return false;
        RunDeferred();
        if (_current is { } g)
        {
            g.EnterSyscall();
            Scheduler.Observer?.EntersSyscall(g);
        }
        _syscallTick++;
        _inSyscall = true;
        return true;
    }

    /// <summary>It has blocked. Returns when it has a processor, or the scheduler stops. Code that has lost its goroutine, for it
    /// parked in there, goes on without.</summary>
    public void ExitSyscall()
    {
        _inSyscall = false;
        if (_current is not { } g)
            return;
        bool lost = Pin(out int previous) is null;
        Unpin(previous);
        if (lost)
            WaitOnQueue(g);
        else
            g.ExitSyscall();
        Scheduler.Observer?.ExitsSyscall(g, lost);
    }

    private void WaitOnQueue(Goroutine g)
    {
        Machine? wiredBefore = g.WiredTo;
        g.WiredTo = this;
        g.MarkRunnable();
        Goroutine? enqueue = g;
        bool mine;
        // Pinned throughout, as the scheduler's own code is. This sleeps on the scheduler's lock, and sysmon would take a processor
        // that has just come for one that is blocked: then its promise stands, and nobody comes to keep it.
        _ = Pin(out int previous);
        do
        {
            Processor? processor = _slot.Get();
            GoroutineQueue others = TakeWired(g, processor is not null, out mine);
            if (processor is not null && !mine)
                GiveAway(processor); // it came with one of the others, who had to wait for this one anyway
            Scheduler.EnqueueGlobal(ref others);
            if (!mine)
                Scheduler.WaitWired(this, enqueue);
            enqueue = null;
        }
        while (!mine && !Scheduler.IsStopping);
        g.WiredTo = wiredBefore;
        if (_slot.Get() is { } regained)
        {
            regained.Counts.Runs++;
            RefillBudget();
            if (Scheduler.BindsMachines && regained != _boundTo && !_isLocked)
                BindTo(regained);
        }
        g.ExitSyscall();
        Unpin(previous);
    }

    // Everything on its own queue; without the one that it waits for, which ends the wait.
    private GoroutineQueue TakeWired(Goroutine wanted, bool withProcessor, out bool found)
    {
        GoroutineQueue others = default;
        found = false;
        lock (_wiredLock)
        {
            if (_promised && !withProcessor)
                return others;
            _promised = false;
            while (_wired.PopFront() is { } g)
            {
                if (g == wanted)
                    found = true;
                else
                    others.PushBack(g);
            }
            _waitsOnQueue = !found;
            _takesWired = !found || _isLocked;
            _hasProcessor = found;
        }
        return others;
    }

    private enum Offered
    {
        Refused,
        Queued,
        NeedsProcessor,
    }

    private Offered Offer(Goroutine g)
    {
        lock (_wiredLock)
        {
            if (!_takesWired)
                return Offered.Refused;
            _wired.PushBack(g);
            if (_hasProcessor)
                return Offered.Queued;
            _hasProcessor = true;
            _promised = true;
            return Offered.NeedsProcessor;
        }
    }

    /// <summary>Brings a goroutine to the machine that it must run on.</summary>
    private void BringToWired(Processor processor, Goroutine g)
    {
        Machine wired = g.WiredTo!;
        switch (wired.Offer(g))
        {
            case Offered.NeedsProcessor:
                _slot.GiveUp();
                GoScheduler.GiveToMachine(processor, wired);
                break;
            case Offered.Refused:
                g.WiredTo = null;
                Execute(processor, g);
                break;
        }
    }

    // Its own processor, to a machine without work.
    private void GiveAway(Processor processor)
    {
        while (!Scheduler.IsStopping)
        {
            if (processor.Phase == ProcessorPhase.Retiring && TryDismantle(processor))
                return;
            if (Scheduler.ReserveMachine() is { } other)
            {
                Scheduler.MachineLimitNotReached();
                _slot.GiveUp();
                GoScheduler.GiveToMachine(processor, other);
                return;
            }
            Scheduler.ReportMachineLimit();
            PollInto(processor, 0); // others may steal what that makes ready
            Thread.Sleep(1); // until one of the others has come back
        }
    }

    // ---- LockOSThread ----

    /// <summary>Wires the goroutine of the running code to this thread; false when the code has lost its goroutine. A branch locks
    /// for its root: whether code goes on on one is not in its hands.</summary>
    public bool TryLock()
    {
        if (_current is not { } g)
            return false;
        Goroutine root = g.Root ?? g;
        lock (root)
        {
            if (root.IsLocked && root.WiredTo != this)
                return false; // by other code of the same goroutine, on its own thread
            if (++root.Extras.LockCount > 1 || Scheduler.Simulation is not null)
                return true;
            root.WiredTo = this;
        }
        g.WiredTo = this;
        lock (_wiredLock)
        {
            _takesWired = true;
            _hasProcessor = true; // should it have been taken, that is found out when this goroutine parks
        }
        _isLocked = true;
        return true;
    }

    /// <summary>Undoes one <see cref="TryLock"/>; false when there was none.</summary>
    public bool TryUnlock()
    {
        if (_current is not { } g)
            return false;
        Goroutine root = g.Root ?? g;
        lock (root)
        {
            bool here = Scheduler.Simulation is not null || root.WiredTo == this;
            if (!here || root.Extras.LockCount == 0)
                return false;
            if (--root.Extras.LockCount > 0 || Scheduler.Simulation is not null)
                return true;
            root.WiredTo = null;
        }
        g.WiredTo = null;
        _isLocked = false;
        TakeNoneAnyMore();
        return true;
    }

    /// <summary>The goroutine that locked this machine's thread has ended: so does the thread. Any thread.</summary>
    public void LockedGoroutineEnded()
    {
        _endsWithGoroutine = true;
        TakeNoneAnyMore();
        if (this != OfThisThread)
            Resume(null);
    }

    private void TakeNoneAnyMore()
    {
        GoroutineQueue others;
        lock (_wiredLock)
        {
            _takesWired = _waitsOnQueue;
            others = _wired;
            _wired = default;
        }
        Scheduler.EnqueueGlobal(ref others);
    }

    // The turn of a locked machine between two runs. False when its thread shall end.
    private bool RunLocked(Processor? processor)
    {
        GoroutineQueue others = default;
        Goroutine? g = null;
        bool promised;
        lock (_wiredLock)
        {
            promised = _promised && processor is null;
            if (!promised)
            {
                _promised = false;
                if (processor is not null)
                    g = _wired.PopFront();
                else
                    (others, _wired) = (_wired, default);
                _hasProcessor = g is not null;
            }
        }
        if (g is not null)
        {
            Execute(processor!, g);
            return true;
        }
        Scheduler.EnqueueGlobal(ref others);
        if (processor is not null)
            GiveAway(processor);
        if ((_endsWithGoroutine && !promised) || Scheduler.IsStopping)
            return false;
        Scheduler.WaitWired(this, null);
        return !Scheduler.IsStopping;
    }
}
