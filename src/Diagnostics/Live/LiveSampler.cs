using System.Diagnostics;

namespace NetGo.Diagnostics;

/// <summary>Makes samples: what has happened since the one before. One thread at a time.</summary>
internal sealed class LiveSampler : IDisposable
{
    private readonly GoScheduler _scheduler;
    private readonly RequestMeter _requests = new();
    private SchedulerStatistics _before;
    private long _timeBefore;
    private TimeSpan _cpuBefore;
    private TimeSpan _pausedBefore;
    private long _allocatedBefore;

    public LiveSampler(GoScheduler scheduler)
    {
        _scheduler = scheduler;
        _before = scheduler.GetStatistics();
        _timeBefore = Stopwatch.GetTimestamp();
        _cpuBefore = Environment.CpuUsage.TotalTime;
        _pausedBefore = GC.GetTotalPauseDuration();
        _allocatedBefore = GC.GetTotalAllocatedBytes();
    }

    /// <param name="number">Its number.</param>
    /// <param name="population">A count of the goroutines that has ended since the sample before.</param>
    public Sample Take(long number, PopulationSample? population)
    {
        SchedulerStatistics now = _scheduler.GetStatistics();
        long time = Stopwatch.GetTimestamp();
        double seconds = Math.Max(1e-3, Stopwatch.GetElapsedTime(_timeBefore, time).TotalSeconds);
        var sample = new Sample(
            number, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), Math.Round(seconds, 4), now.Goroutines, now.GlobalQueueLength, now.Machines,
            now.IdleMachines, now.SpinningMachines, DescribeProcessors(now, seconds), DescribeBatches(now),
            new HandOffSample(now.BlockedHandOffs, now.SyscallHandOffs, now.TimeSliceHandOffs), DescribeProcess(seconds), _requests.Take(seconds),
            DescribeBuffers(), population);
        _before = now;
        _timeBefore = time;
        return sample;
    }

    public void Dispose() => _requests.Dispose();

    private ProcessorStatistics? Before(int index) => index < _before.Processors.Count ? _before.Processors[index] : null;

    private List<ProcessorSample> DescribeProcessors(SchedulerStatistics now, double seconds)
    {
        var processors = new List<ProcessorSample>(now.Processors.Count);
        foreach (ProcessorStatistics p in now.Processors)
        {
            if (Before(p.Index) is not { } before)
                continue; // it is new
            double idle = (p.IdleTime - before.IdleTime).TotalSeconds / seconds;
            processors.Add(new ProcessorSample(
                p.Index, Math.Round(Math.Clamp(1 - idle, 0, 1), 4), p.IsIdle, p.QueueLength, p.Timers, p.Machine, p.Goroutine, Rate(p.Runs, before.Runs),
                Rate(p.Steals, before.Steals), Rate(p.Sleeps, before.Sleeps), Rate(p.TimersFired, before.TimersFired), Rate(p.Polls, before.Polls),
                Rate(p.PolledReady, before.PolledReady)));
        }
        return processors;

        double Rate(long after, long earlier) => Math.Round((after - earlier) / seconds, 1);
    }

    private long[] DescribeBatches(SchedulerStatistics now)
    {
        long[] batches = [];
        foreach (ProcessorStatistics p in now.Processors)
        {
            if (Before(p.Index) is not { } before)
                continue;
            if (batches.Length == 0)
                batches = new long[p.PollBatches.Count];
            for (int i = 0; i < batches.Length; i++)
                batches[i] += p.PollBatches[i] - before.PollBatches[i];
        }
        return batches;
    }

    private ProcessSample DescribeProcess(double seconds)
    {
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        TimeSpan paused = GC.GetTotalPauseDuration();
        long allocated = GC.GetTotalAllocatedBytes();
        var sample = new ProcessSample(
            Math.Round((cpu - _cpuBefore).TotalSeconds / seconds, 3), Environment.WorkingSet, GC.GetTotalMemory(false),
            Math.Round((allocated - _allocatedBefore) / seconds), [.. Enumerable.Range(0, GC.MaxGeneration + 1).Select(GC.CollectionCount)],
            Math.Round((paused - _pausedBefore).TotalMilliseconds, 3));
        (_cpuBefore, _pausedBefore, _allocatedBefore) = (cpu, paused, allocated);
        return sample;
    }

    private BufferSample DescribeBuffers()
    {
        BufferPoolStatistics pool = _scheduler.Buffers.GetStatistics();
        return new BufferSample(
            pool.CommittedBytes, pool.MaxBytes, pool.LargeBytes, pool.ReleasedBytes, pool.Waiting,
            [.. pool.Classes.Select(static c => new BufferClassSample(c.Node, c.Size, c.InUse, c.Cached, c.Free, c.Idle))]);
    }
}
