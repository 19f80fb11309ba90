using System.Diagnostics;

namespace NetGo.Diagnostics;

/// <summary>Sums up waits by stack: for the block profile by that of the one that waited, for the mutex profile by that of the one that let it
/// go on.</summary>
/// <param name="ofWaiter">Which of the two.</param>
internal sealed class BlockRecorder(bool ofWaiter)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<GoScheduler, BlockObserver> _observers = [];

    // Guarded by _lock; the profile is used by others after it has been replaced only.
    private readonly Dictionary<ProfileStack, (double Count, double Nanoseconds)> _sums = [];

    private long _rate;

    /// <summary>Begins, goes on with another rate, or ends when the rate is 0.</summary>
    public void Set(GoScheduler scheduler, long rate)
    {
        lock (_lock)
        {
            if (rate == 0)
            {
                if (_observers.Remove(scheduler, out BlockObserver? gone))
                    scheduler.RemoveObserver(gone);
                if (_observers.Count == 0)
                    _sums.Clear();
                return;
            }
            Volatile.Write(ref _rate, rate);
            if (_observers.ContainsKey(scheduler))
                return;
            var observer = new BlockObserver(this);
            _observers.Add(scheduler, observer);
            scheduler.AddObserver(observer);
        }
    }

    /// <summary>Whether waits for this reason are of interest.</summary>
    public bool Counts(WaitReason reason) => ofWaiter
        ? reason is not (WaitReason.None or WaitReason.Yield or WaitReason.Sleep or WaitReason.IOWait or WaitReason.SimulationIdle)
        : reason is WaitReason.Mutex or WaitReason.RWMutexRead or WaitReason.RWMutexWrite or WaitReason.Semaphore;

    /// <summary>A goroutine is about to be made ready, on the thread of the one that does it.</summary>
    public void Waited(Goroutine g, WaitReason reason, long nanoseconds)
    {
        long rate = Volatile.Read(ref _rate);
        double weight = 1; // for those that the sampling leaves out
        if (!ofWaiter)
        {
            if (rate > 1 && Random.Shared.NextInt64(rate) != 0)
                return;
            weight = rate;
        }
        else if (nanoseconds < rate)
        {
            if (Random.Shared.NextInt64(rate) >= nanoseconds)
                return;
            weight = (double)rate / Math.Max(1, nanoseconds);
        }
        IReadOnlyList<GoroutineFrame> frames = ofWaiter ? g.Stack() : ThreadStack.OfCaller();
        var spawned = new GoroutineFrame("NetGo.Go.Spawn", g.SpawnFile, g.SpawnLine);
        var stack = new ProfileStack(ofWaiter ? [.. frames, spawned] : frames, "reason", GoroutineInfo.Words(reason.ToString()));
        lock (_lock)
        {
            (double count, double sum) = _sums.GetValueOrDefault(stack);
            _sums[stack] = (count + weight, sum + weight * nanoseconds);
        }
    }

    public Profile Snapshot()
    {
        var profile = new Profile(new ProfileUnit("contentions", "count"), new ProfileUnit("delay", "nanoseconds"))
        {
            Period = 1,
            PeriodUnit = new ProfileUnit("contentions", "count"),
        };
        lock (_lock)
        {
            if (_observers.Count == 0)
                profile.Comment = ofWaiter ? "It is off: call BlockProfile.SetRate." : "It is off: call MutexProfile.SetFraction.";
            foreach ((ProfileStack stack, (double count, double sum)) in _sums)
                profile.Add(stack, (long)count, (long)sum);
        }
        return profile;
    }
}
