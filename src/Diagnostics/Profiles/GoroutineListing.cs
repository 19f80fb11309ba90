namespace NetGo.Diagnostics;

/// <summary>All goroutines with their stacks: of those that wait, what they wait in; of those that run or block, their thread's stack.</summary>
/// <param name="Goroutines">In the order of their ids.</param>
/// <param name="Note">What is missing, and why; null when nothing is.</param>
internal sealed record GoroutineListing(IReadOnlyList<GoroutineInfo> Goroutines, string? Note)
{
    private static readonly SemaphoreSlim s_oneAtATime = new(1);

    public static async Task<GoroutineListing> TakeAsync(GoScheduler scheduler, bool withThreads, CancellationToken cancellationToken)
    {
        IReadOnlyList<GoroutineInfo> goroutines = scheduler.GoroutineStacks();
        // This one runs as well: it waits, in what follows, for the others to be looked at.
        long own = scheduler == GoScheduler.Current ? Machine.OfThisThread?.RunningId ?? 0 : 0;
        if (!withThreads || !goroutines.Any(g => OnThread(g) && g.Id != own))
            return new GoroutineListing(goroutines, null);
        await s_oneAtATime.WaitAsync(cancellationToken);
        try
        {
            Dictionary<int, IReadOnlyList<GoroutineFrame>> threads = await CpuProfiler.StacksOfThreadsAsync(cancellationToken);
            // Who runs where may have changed while the stacks were taken: only those that it has not changed for are told.
            Dictionary<long, int> still = scheduler.Goroutines().Where(OnThread).GroupBy(static g => g.Id).ToDictionary(static g => g.Key, static g => g.First().ThreadId);
            return new GoroutineListing([.. goroutines.Select(g => OnThread(g) && still.GetValueOrDefault(g.Id) == g.ThreadId && threads.TryGetValue(g.ThreadId, out var frames)
                ? g with { Frames = [.. frames.TakeWhile(static f => !IsOfMachine(f))] }
                : g)], null);
        }
        catch (ProfileUnavailableException e)
        {
            return new GoroutineListing(goroutines, $"Goroutines that run are without their stacks. {e.Message}");
        }
        finally
        {
            s_oneAtATime.Release();
        }
    }

    /// <summary>How many have the same stack.</summary>
    public Profile ToProfile()
    {
        var profile = new Profile(new ProfileUnit("goroutine", "count")) { Period = 1, PeriodUnit = new ProfileUnit("goroutine", "count"), Comment = Note };
        foreach (GoroutineInfo g in Goroutines)
        {
            // Something has to stand for those of which only the spawn site is known; and it is where the others come from.
            var spawned = new GoroutineFrame("NetGo.Go.Spawn", g.SpawnFile, g.SpawnLine);
            profile.Add(new ProfileStack([.. g.Frames, spawned], "state", g.State), 1);
        }
        return profile;
    }

    private static bool OnThread(GoroutineInfo g) => g.Status is GoroutineStatus.Running or GoroutineStatus.Syscall && g.ThreadId != 0;

    // What is below the goroutine's own code is the scheduler.
    private static bool IsOfMachine(GoroutineFrame frame) => frame.Method.StartsWith("NetGo.Goroutine.", StringComparison.Ordinal) || frame.Method.StartsWith("NetGo.Machine.", StringComparison.Ordinal);
}
