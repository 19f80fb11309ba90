using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

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

    [SuppressMessage("Design", "CA1031", Justification = "Observers must not throw.")]
    public override void IsReady(Goroutine g)
    {
        if (!_waiting.TryRemove(g, out (long Since, WaitReason Reason) wait))
            return;
        try
        {
            recorder.Waited(g, wait.Reason, (long)Stopwatch.GetElapsedTime(wait.Since).TotalNanoseconds);
        }
        catch (Exception)
        {
            // A stack that cannot be read must not cost the goroutine, which is on no queue yet.
        }
    }

    public override void Ended(Goroutine g) => _waiting.TryRemove(g, out _);
}
