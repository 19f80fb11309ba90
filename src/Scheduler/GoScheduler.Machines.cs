namespace NetGo;

// Machines: who has a thread but no processor, and who gets one.
//
// A machine without a processor waits for it in one of three ways. Each is ended by Machine.Resume:
//
//   idle       on the list _idleMachines, until its time-out ends it; whoever takes it off the list must resume it
//   reserved   taken off that list, or just started, for a processor that is not certain to come
//   wired      for one goroutine, which it alone may run (LockOSThread), or which waits to come out of Go.Blocking; whoever takes
//              that goroutine from a queue gives it the processor
public sealed partial class GoScheduler
{
    private readonly int _maxMachines;
    private readonly TimeSpan _machineIdleTimeout;

    // Guarded by _lock.
    private readonly HashSet<Machine> _wiredMachines = [];
    private readonly HashSet<Machine> _allMachines = [];
    private Machine? _idleMachines;
    private int _machinesMade;
    private int _machines;
    private bool _limitReported;

    /// <summary>The number of threads that run goroutines now, those without work included.</summary>
    public int MachineCount => Volatile.Read(ref _machines);

    /// <summary>The number of threads made to run goroutines so far, those that have ended included.</summary>
    public int MachinesMade => Volatile.Read(ref _machinesMade);

    /// <summary>A machine that waits to be given a processor; null when there are too many. Go's startm begins so.</summary>
    internal Machine? ReserveMachine()
    {
        int id;
        lock (_lock)
        {
            if (_idleMachines is { } idle)
            {
                _idleMachines = idle.IdleLink;
                return idle;
            }
            if (_machines == _maxMachines)
                return null;
            id = ++_machinesMade;
            _machines++;
        }
        var made = new Machine(this, id);
        lock (_lock)
            _allMachines.Add(made);
        try
        {
            made.Start();
        }
        catch (OutOfMemoryException)
        {
            MachineEnded(made); // the system has no thread for us
            return null;
        }
        return made;
    }

    /// <summary>Gives a processor that no machine holds to a machine that was reserved.</summary>
    internal static void GiveToMachine(Processor p, Machine machine)
    {
        p.Machine = machine;
        machine.Resume(p);
    }

    /// <summary>A machine that was reserved is not needed after all.</summary>
    internal void Unreserve(Machine machine)
    {
        lock (_lock)
        {
            if (!_stopping)
            {
                machine.IdleLink = _idleMachines;
                _idleMachines = machine;
                return;
            }
        }
        machine.Resume(null);
    }

    internal void MachineEnded(Machine machine)
    {
        lock (_lock)
        {
            _machines--;
            _allMachines.Remove(machine);
        }
    }

    /// <summary>A processor cannot be handed off: there is no machine for it. Go throws here. Said once until it was possible
    /// again.</summary>
    internal void ReportMachineLimit()
    {
        lock (_lock)
        {
            if (_limitReported)
                return;
            _limitReported = true;
        }
        var cause = new MachineLimitException(_maxMachines);
        Report(new UnhandledGoroutineException(cause.Message, cause));
    }

    internal void MachineLimitNotReached() => _limitReported = false;

    /// <summary>A machine without a processor waits until it gets one; Go's stopm. False: its thread shall end.</summary>
    internal bool WaitForProcessor(Machine machine)
    {
        lock (_lock)
        {
            if (_stopping)
                return false;
            machine.IdleLink = _idleMachines;
            _idleMachines = machine;
        }
        return WaitReserved(machine);
    }

    /// <summary>A machine that is on the list, or has just been started for somebody who reserved it, waits until it gets a
    /// processor. False: its thread shall end.</summary>
    internal bool WaitReserved(Machine machine)
    {
        if (!machine.WaitToResume(_machineIdleTimeout))
        {
            lock (_lock)
            {
                if (RemoveIdle(machine))
                    return false;
            }
            machine.WaitToResume(Timeout.InfiniteTimeSpan); // taken off the list in the meantime: it will be resumed
        }
        return !_stopping;
    }

    private bool RemoveIdle(Machine machine)
    {
        Machine? before = null;
        for (Machine? m = _idleMachines; m is not null; before = m, m = m.IdleLink)
        {
            if (m != machine)
                continue;
            if (before is null)
                _idleMachines = m.IdleLink;
            else
                before.IdleLink = m.IdleLink;
            return true;
        }
        return false;
    }

    /// <summary>A machine without a processor waits for the goroutine that is wired to it; Go's stoplockedm. It may have been
    /// resumed before.</summary>
    /// <param name="machine">The calling one.</param>
    /// <param name="enqueue">A goroutine to be put on the global queue once the machine is sure to be found.</param>
    internal void WaitWired(Machine machine, Goroutine? enqueue)
    {
        lock (_lock)
        {
            if (_stopping)
                return;
            _wiredMachines.Add(machine);
        }
        if (enqueue is not null)
            EnqueueGlobal(enqueue);
        machine.WaitToResume(Timeout.InfiniteTimeSpan);
        lock (_lock)
            _wiredMachines.Remove(machine);
    }

    private void StopWaitingMachines()
    {
        lock (_lock)
        {
            foreach (Machine wired in _wiredMachines)
                wired.Resume(null);
            while (_idleMachines is { } idle)
            {
                _idleMachines = idle.IdleLink;
                idle.Resume(null);
            }
        }
    }
}
