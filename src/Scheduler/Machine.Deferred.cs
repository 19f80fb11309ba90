namespace NetGo;

// What the running code defers is done when it gives way, and that is known to be soon: when its goroutine parks, yields or ends; when it says that it
// blocks (Go.Blocking); and when sysmon finds it in the same run at two looks, blocked or not, or takes its processor. So nothing is deferred
// where sysmon does not look: on a machine without a processor, and in Go.Blocking.
//
// A processor is taken from an unpinned machine only. So what is pushed while it is pinned and has one is there when sysmon, after that, looks.
internal sealed partial class Machine
{
    private DeferredWork _deferred;

    public bool HasDeferred => !_deferred.IsEmpty;

    /// <summary>Has work done when the code that runs on this thread gives way. False when it runs on no machine of that scheduler, or on one of which that
    /// would not be known: it is the caller's then.</summary>
    public static bool TryDefer(GoScheduler scheduler, IDeferredWork work)
    {
        if (t_machine is not { } machine || machine.Scheduler != scheduler || machine._inSyscall)
            return false;
        bool isOurs = machine.Pin(out int previous) is not null && previous == 0; // 1: this is no goroutine, but a timer's callback
        if (isOurs)
            machine._deferred.Push(work);
        machine.Unpin(previous);
        return isOurs;
    }

    /// <summary>Does what has been deferred. Any thread.</summary>
    public void RunDeferred()
    {
        while (!_deferred.IsEmpty)
            _deferred.Run();
    }
}
