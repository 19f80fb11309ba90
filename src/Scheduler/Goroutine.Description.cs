namespace NetGo;

// How others see a goroutine: they read it while it runs, ends, and is used again for another. The id is read before and after the rest,
// and each use of the object writes it first (Prepare, PrepareBranch): what is told is of one goroutine.
internal sealed partial class Goroutine
{
    /// <summary>Its state has one of the values in which it is somebody's goroutine.</summary>
    internal bool IsAlive => Status is not (GoroutineStatus.Idle or GoroutineStatus.Dead);

    /// <summary>What it does; null when it is none at the moment.</summary>
    /// <param name="now">The time, as a stamp.</param>
    /// <param name="sites">Spawn sites that have been put into words.</param>
    /// <param name="withFrames">Also what it waits in.</param>
    /// <param name="threads">On which threads goroutines run.</param>
    internal GoroutineInfo? TryDescribe(uint now, Dictionary<(string File, int Line), string> sites, bool withFrames, Dictionary<Goroutine, int>? threads = null)
    {
        while (true)
        {
            GoroutineState state = _state.Read();
            if (state.Status is GoroutineStatus.Idle or GoroutineStatus.Dead)
                return null;
            long id = Id;
            string file = SpawnFile ?? "";
            int line = _spawnLine;
            bool isBranch = _isBranch;
            uint stamp = _waitStamp;
            bool waits = state.Status == GoroutineStatus.Waiting;
            IReadOnlyList<GoroutineFrame> frames = withFrames && waits ? AsyncStack.Of(_argument, _bodyOrRoot as Task) : [];
            Volatile.ReadBarrier();
            if (id != Id || (withFrames && waits && (state.Status, state.WaitReason) != (Status, WaitReason)))
                continue; // it is another's by now, or went on while its frames were read
            if (!sites.TryGetValue((file, line), out string? site))
                sites.Add((file, line), site = SpawnSite);
            return new GoroutineInfo(id, site, state.Status, state.WaitReason, isBranch)
            {
                WaitTime = waits ? GoroutineScan.Since(stamp, now) : null,
                SpawnFile = file,
                SpawnLine = line,
                Frames = frames,
                ThreadId = threads?.GetValueOrDefault(this) ?? 0,
            };
        }
    }

    /// <summary>It waits, and for something that only another goroutine, or a thread that runs none, brings about.</summary>
    internal bool WaitsForGoroutine => Status == GoroutineStatus.Waiting && WaitReason switch
    {
        WaitReason.Yield or WaitReason.Sleep or WaitReason.IOWait or WaitReason.Buffer or WaitReason.SimulationIdle => false,
        WaitReason.Task => AsyncStack.AwaitedBy(_bodyOrRoot as Task) is Task { AsyncState: OwnTask },
        _ => true,
    };

    /// <summary>What it waits in, while it waits.</summary>
    internal IReadOnlyList<GoroutineFrame> Stack() => AsyncStack.Of(_argument, _bodyOrRoot as Task);

    /// <summary>Stamps it if it waits and has no stamp. Should it run in between, the time that is told of a later wait may be too long by
    /// what lies between two lines here.</summary>
    internal void StampIfWaiting(uint now)
    {
        if (Status != GoroutineStatus.Waiting || _waitStamp != 0 || Interlocked.CompareExchange(ref _waitStamp, now, 0) != 0)
            return;
        if (Status != GoroutineStatus.Waiting)
            Interlocked.CompareExchange(ref _waitStamp, 0, now);
    }

    /// <summary>Whether it has waited for so long, and this is the first time that the answer is yes for this wait.</summary>
    internal bool IsNewLongWait(TimeSpan limit, uint now)
    {
        uint stamp = _waitStamp;
        return Status == GoroutineStatus.Waiting && !GoroutineScan.IsReported(stamp) && GoroutineScan.Since(stamp, now) >= limit
            && Interlocked.CompareExchange(ref _waitStamp, GoroutineScan.AsReported(stamp), stamp) == stamp;
    }
}
