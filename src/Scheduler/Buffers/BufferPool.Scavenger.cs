namespace NetGo;

// The scavenger gives back what is not used. It is a timer that runs only while there may be something for it to do:
//
//   it is started    by buffers that come to a central list, or to a cache that had none
//   at each tick     it asks the processors to empty their caches, which then come to the central lists: one buffer in a cache keeps
//                    2 MiB. It releases the slabs that have been idle for ReleaseAfter
//   it ends          at a tick before which none came, when the caches are empty and no idle slab is left
//
// It ticks twice in ReleaseAfter. So a buffer that goes to a cache and stays there, the last of its slab, leaves it at the next tick
// (half of ReleaseAfter), and its slab at the first tick after ReleaseAfter more: within twice ReleaseAfter in all.
public sealed partial class BufferPool
{
    private const long WorthCollecting = 4 * 1024 * 1024;

    private readonly TimeSpan _releaseAfter;
    private readonly bool _collects;
    private readonly Timer _scavengeTimer;
    private int _scavenging;
    private bool _cameBack;
    private long _allocatedBefore; // by the process, at the last collection here; the timer's

    internal void ScheduleScavenging()
    {
        // A full fence: what has come is seen by the tick that finds this unset, or this by the one that is about to be the last.
        Interlocked.Exchange(ref _cameBack, true);
        if (_releaseAfter != Timeout.InfiniteTimeSpan && Volatile.Read(ref _scavenging) == 0)
            StartScavenging();
    }

    private void StartScavenging()
    {
        if (Interlocked.Exchange(ref _scavenging, 1) == 0)
            _scavengeTimer.Change(_releaseAfter / 2, Timeout.InfiniteTimeSpan);
    }

    private void Scavenge()
    {
        Interlocked.Exchange(ref _cameBack, false);
        bool anyLeft = AskForFlush();
        long since = Environment.TickCount64 - (long)_releaseAfter.TotalMilliseconds;
        foreach (CentralList list in _central)
        {
            list.ReleaseIdle(since);
            anyLeft |= list.HasIdle;
        }
        if (!anyLeft && !Volatile.Read(ref _cameBack))
        {
            if (_collects)
                CollectAfterBurst();
            Interlocked.Exchange(ref _scavenging, 0);
            if (!Volatile.Read(ref _cameBack)) // else it may have come when this was still seen to run
                return;
            if (Interlocked.Exchange(ref _scavenging, 1) != 0)
                return;
        }
        _scavengeTimer.Change(_releaseAfter / 2, Timeout.InfiniteTimeSpan);
    }

    private void CollectAfterBurst()
    {
        long allocated = GC.GetTotalAllocatedBytes();
        if (allocated - _allocatedBefore < WorthCollecting)
            return;
        _allocatedBefore = allocated;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    /// <summary>Gives back to the system at once what is not used, but for what the processors have at hand; Go's debug.FreeOSMemory.</summary>
    public void ReleaseUnused()
    {
        AskForFlush();
        foreach (CentralList list in _central)
            list.ReleaseIdle(long.MaxValue);
    }
}
