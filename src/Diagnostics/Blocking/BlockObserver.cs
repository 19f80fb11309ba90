using System.Collections.Concurrent;
using System.Diagnostics;

namespace NetGo.Diagnostics;

/// <summary>Takes the time of each wait that is of interest to a recorder.</summary>
internal sealed class BlockObserver(BlockRecorder recorder) : SchedulerObserver
{
    private readonly ConcurrentDictionary<Goroutine, (long Since, WaitReason Reason)> _waiting = new(ReferenceEqualityComparer.Instance);

    public override void Parks(Goroutine g, WaitReason reason)
    {
        if (recorder.Counts(reason))
            _waiting[g] = (Stopwatch.GetTimestamp(), reason);
    }

    public override void IsReady(Goroutine g)
    {
        if (_waiting.TryRemove(g, out (long Since, WaitReason Reason) wait))
            recorder.Waited(g, wait.Reason, (long)Stopwatch.GetElapsedTime(wait.Since).TotalNanoseconds);
    }

    public override void Ended(Goroutine g) => _waiting.TryRemove(g, out _);
}
