using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace NetGo;

// On a thread of its own, for it is to print when nothing else gets to run.
internal sealed class SchedTrace : IDisposable
{
    private readonly GoScheduler _scheduler;
    private readonly TimeSpan _interval;
    private readonly bool _detail;
    private readonly TextWriter _output;
    private readonly long _begin = Stopwatch.GetTimestamp();
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _thread;

    public SchedTrace(GoScheduler scheduler, TimeSpan interval, bool detail, TextWriter output)
    {
        _scheduler = scheduler;
        _interval = interval;
        _detail = detail;
        _output = output;
        _thread = new Thread(Main) { IsBackground = true, Name = "netgo-schedtrace" };
        _thread.UnsafeStart();
    }

    public void Dispose()
    {
        _stop.Set();
        if (_thread != Thread.CurrentThread)
            _thread.Join();
    }

    private void Main()
    {
        while (!_stop.Wait(_interval) && !_scheduler.IsStopping)
        {
            try
            {
                _output.Write(Describe(Stopwatch.GetElapsedTime(_begin)));
                _output.Flush();
            }
            catch (Exception)
            {
                return; // nobody reads any more, or it is a writer of the user's that fails
            }
        }
    }

    private string Describe(TimeSpan since)
    {
        SchedulerStatistics s = _scheduler.GetStatistics();
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"SCHED {(long)since.TotalMilliseconds}ms: gomaxprocs={s.Processors.Count} idleprocs={s.IdleProcessors} threads={s.Machines} ");
        text.Append(
            CultureInfo.InvariantCulture, $"spinningthreads={s.SpinningMachines} idlethreads={s.IdleMachines} runqueue={s.GlobalQueueLength} ");
        if (!_detail)
            return text.Append('[').AppendJoin(' ', s.Processors.Select(static p => p.QueueLength)).Append("]\n").ToString();
        text.Append(
            CultureInfo.InvariantCulture,
            $"goroutines={s.Goroutines} handoffs={s.BlockedHandOffs}+{s.SyscallHandOffs}+{s.TimeSliceHandOffs}\n");
        foreach (ProcessorStatistics p in s.Processors)
        {
            text.Append(CultureInfo.InvariantCulture, $"  P{p.Index}: status={(p.IsIdle ? "idle" : "running")} m={OrNone(p.Machine)} curg={OrNone(p.Goroutine)} ");
            text.Append(CultureInfo.InvariantCulture, $"runqsize={p.QueueLength} timerslen={p.Timers} schedtick={p.Runs} steals={p.Steals} polls={p.Polls}\n");
        }
        foreach (string line in _scheduler.DescribeMachines())
            text.Append("  ").Append(line).Append('\n');
        foreach (GoroutineInfo g in _scheduler.Goroutines())
        {
            string state = g.Status == GoroutineStatus.Waiting ? $"{g.Status}({g.WaitReason})" : g.Status.ToString();
            text.Append(CultureInfo.InvariantCulture, $"  G{g.Id}{(g.IsBranch ? "*" : "")}: status={state} created={g.SpawnSite}\n");
        }
        return text.ToString();
    }

    private static long OrNone(long number) => number == 0 ? -1 : number;
}
