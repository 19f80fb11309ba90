using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace NetGo;

// Looks at all goroutines now and then: stamps those that wait (GoroutineScan.cs), and reports
//   - those that have waited for longer than SchedulerOptions.LongWait, each once;
//   - that all are asleep, once: when for SchedulerOptions.DeadlockAfter none has run, and each waits for another. Whoever waits for a
//     time, for a descriptor or for a task that no goroutine completes will be woken by something else; and so it is in a program where a thread
//     that runs no goroutine has woken one before.
internal sealed class GoroutineWatch : IDisposable
{
    private static readonly TimeSpan s_longestPeriod = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_shortestPeriod = TimeSpan.FromMilliseconds(20);

    private readonly GoScheduler _scheduler;
    private readonly TimeSpan _longWait;
    private readonly TimeSpan _deadlockAfter;
    private readonly ILogger _logger;
    private readonly Timer _timer;

    // Of Look, one at a time.
    private readonly Lock _lock = new();
    private long _runs = -1;
    private long _asleepSince;
    private bool _deadlockReported;

    public GoroutineWatch(GoScheduler scheduler, SchedulerOptions options)
    {
        _scheduler = scheduler;
        _longWait = options.LongWait;
        _deadlockAfter = options.DeadlockAfter;
        _logger = options.Logger ?? StandardErrorLogger.Instance;
        TimeSpan period = new[] { s_longestPeriod, Half(_longWait), Half(_deadlockAfter) }.Min();
        period = period < s_shortestPeriod ? s_shortestPeriod : period;
        // It must neither keep a scheduler that nobody uses any more, nor have the context of whoever makes one.
        bool flows = !ExecutionContext.IsFlowSuppressed();
        AsyncFlowControl suppressed = flows ? ExecutionContext.SuppressFlow() : default;
        _timer = new Timer(
            static state =>
            {
                if (((WeakReference<GoroutineWatch>)state!).TryGetTarget(out GoroutineWatch? watch))
                    watch.Look();
            },
            new WeakReference<GoroutineWatch>(this), period, period);
        if (flows)
            suppressed.Undo();
    }

    private static TimeSpan Half(TimeSpan time) => time == Timeout.InfiniteTimeSpan ? s_longestPeriod : time / 2;

    [SuppressMessage("Design", "CA1031", Justification = "A logger that fails is no reason to end the process.")]
    private void Look()
    {
        if (!_lock.TryEnter())
            return;
        try
        {
            GoroutineScan.StampWaiting(_scheduler);
            if (_longWait != Timeout.InfiniteTimeSpan)
                ReportLongWaits();
            if (_deadlockAfter != Timeout.InfiniteTimeSpan && !_deadlockReported)
                LookForDeadlock();
        }
        catch (Exception)
        {
        }
        finally
        {
            _lock.Exit();
        }
    }

    public void Dispose() => _timer.Dispose();

    // ---- Long waits ----

    private void ReportLongWaits()
    {
        uint now = GoroutineScan.Stamp(_scheduler.Now());
        var sites = new Dictionary<(string, int), string>();
        var late = new List<GoroutineInfo>();
        foreach (Goroutine g in _scheduler.AllGoroutines)
        {
            // Who sleeps is told for how long, and reads have deadlines.
            if (g.WaitReason is WaitReason.Sleep or WaitReason.IOWait || !g.IsNewLongWait(_longWait, now))
                continue;
            if (g.TryDescribe(now, sites, withFrames: true) is { } info)
                late.Add(info);
        }
        foreach (IGrouping<(string, string), GoroutineInfo> same in late.GroupBy(static g => (g.SpawnSite, g.State)))
            SchedulerLog.LongWait(_logger, same.Count(), same.First().SpawnSite, _longWait, same.First().State, Text([same.First()]));
    }

    // ---- Dead-locks ----

    private void LookForDeadlock()
    {
        long runs = 0;
        foreach (Processor p in _scheduler.AllProcessors)
            runs += Volatile.Read(ref p.Counts.Runs);
        long now = Environment.TickCount64;
        if (runs != _runs || !AllAsleep())
        {
            _runs = runs;
            _asleepSince = now;
            return;
        }
        var asleep = TimeSpan.FromMilliseconds(now - _asleepSince);
        if (asleep < _deadlockAfter)
            return;
        _deadlockReported = true;
        SchedulerLog.Deadlock(_logger, TimeSpan.FromSeconds(Math.Round(asleep.TotalSeconds)), Text(_scheduler.GoroutineStacks()));
    }

    private bool AllAsleep()
    {
        if (_scheduler.WokenFromOutside || _scheduler.GoroutineCount <= 0 || !_scheduler.AllIdle || _scheduler.HasGlobalWork)
            return false;
        foreach (Processor p in _scheduler.AllProcessors)
        {
            if (p.Timers.Count > 0 || p.Poller.HasRegistrations)
                return false;
        }
        foreach (Goroutine g in _scheduler.AllGoroutines)
        {
            if (g.IsAlive && !g.WaitsForGoroutine)
                return false;
        }
        return true;
    }

    private static string Text(IEnumerable<GoroutineInfo> goroutines)
    {
        var text = new StringWriter();
        GoroutineDump.Write(text, goroutines);
        return text.ToString();
    }
}
