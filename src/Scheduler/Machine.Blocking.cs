using System.Diagnostics;

namespace NetGo;

// Goroutines that are bound to a thread: those in Go.Blocking, whose frames stand on it, and those that called
// LockOSThread.
//
// Blocking (Go's entersyscall and exitsyscall). The goroutine goes to Syscall and the machine says so in _inSyscall; everything
// else is sysmon's: when it sees the same call 20 us later it takes the processor, as from code that blocks undeclared. On the
// way out, with the processor still there, the goroutine is Running again. Otherwise it has to wait for one like any other that
// is ready: it is wired to this machine and put on the global queue, and whoever takes it from there gives its processor to
// this machine.
//
// Locked (Go's lockOSThread). The goroutine is wired to its machine until it unlocks. When it parks, the machine gives its
// processor to another machine and waits; when it ends while locked, the thread ends with it, for it may have been changed in
// ways that nobody else should find.
internal sealed partial class Machine
{
    private volatile bool _inSyscall;
    private uint _syscallTick;
    private Goroutine? _lockedGoroutine;
    private bool _endsWithGoroutine;

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
        if (_current is { } g)
        {
            g.EnterSyscall();
            Scheduler.Events?.OnSyscallEnter(new GoroutineRef(g));
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
        Scheduler.Events?.OnSyscallExit(new GoroutineRef(g), lost);
    }

    private void WaitOnQueue(Goroutine g)
    {
        Machine? wiredBefore = g.WiredTo;
        g.WiredTo = this;
        g.MarkRunnable();
        Scheduler.WaitWired(this, g);
        g.WiredTo = wiredBefore;
        if (Pin(out int previous) is { } processor)
        {
            processor.ScheduleTick++;
            _budget = Scheduler.NextBudget();
        }
        Unpin(previous);
        g.ExitSyscall();
    }

    /// <summary>Gives the processor to the machine that a goroutine must run on.</summary>
    private void GiveToWired(Processor processor, Goroutine g)
    {
        Machine wired = g.WiredTo!;
        if (wired == this)
            throw new UnreachableException(); // it waits for that goroutine and nothing else
        _slot.GiveUp();
        GoScheduler.GiveToMachine(processor, wired);
    }

    // ---- LockOSThread ----

    /// <summary>Wires the running goroutine to this thread; false when the code has lost its goroutine.</summary>
    public bool TryLock()
    {
        if (_current is not { } g || g.IsBranch)
            return false;
        if (++g.Extras.LockCount == 1 && Scheduler.Simulation is null)
        {
            g.WiredTo = this;
            _lockedGoroutine = g;
        }
        return true;
    }

    /// <summary>Undoes one <see cref="TryLock"/>; false when there was none.</summary>
    public bool TryUnlock()
    {
        if (_current is not { } g || g.IsBranch || g.Extras.LockCount == 0)
            return false;
        if (--g.Extras.LockCount == 0)
        {
            g.WiredTo = null;
            _lockedGoroutine = null;
        }
        return true;
    }

    /// <summary>A goroutine that is wired to this machine has ended: so does its thread.</summary>
    public void LockedGoroutineEnded()
    {
        _lockedGoroutine = null;
        _endsWithGoroutine = true;
    }

    // The machine's own turn between two runs of its goroutine. False when its thread shall end.
    private bool RunLocked(Processor? processor)
    {
        while (processor is not null && !Scheduler.IsStopping)
        {
            if (Scheduler.ReserveMachine() is { } other)
            {
                Scheduler.MachineLimitNotReached();
                _slot.GiveUp();
                GoScheduler.GiveToMachine(processor, other);
                break;
            }
            Scheduler.ReportMachineLimit();
            Thread.Sleep(1); // until one of the others has come back
        }
        if (_endsWithGoroutine || Scheduler.IsStopping)
            return false;
        Scheduler.WaitWired(this, null);
        if (_slot.Get() is not { } mine)
            return !Scheduler.IsStopping;
        Execute(mine, _lockedGoroutine!);
        return true;
    }
}
