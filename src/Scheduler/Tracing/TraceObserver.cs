using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace NetGo;

// Writes down what the scheduler does: into the ring of the processor whose machine tells, and into one for all that tell without a
// processor (sysmon, threads that are no machines, code whose processor was handed off), under a lock.
//
// A branch has its root's number, and may run beside it; in a trace it is a goroutine of its own, with a number that no goroutine has.
internal sealed class TraceObserver(GoScheduler scheduler, int capacity) : SchedulerObserver
{
    /// <summary>From here on numbers are branches'.</summary>
    public const long FirstBranch = 1L << 48;

    private const int RuntimeCapacity = 4096;

    private static readonly double s_nanosecondsPerTick = 1e9 / Stopwatch.Frequency;

    private readonly TraceRing?[] _rings = new TraceRing?[IdleProcessors.Max];
    private readonly TraceRing _others = new(capacity);
    private readonly TraceRing _runtime = new(RuntimeCapacity);
    private readonly Lock _othersLock = new();
    private readonly ConcurrentDictionary<Goroutine, long> _branches = new(ReferenceEqualityComparer.Instance);
    private long _lastBranch = FirstBranch;

    public GoScheduler Scheduler => scheduler;

    /// <summary>By processor; null where there was no event.</summary>
    public ReadOnlySpan<TraceRing?> Rings => _rings;

    /// <summary>Of those without a processor.</summary>
    public TraceRing Others => _others;

    /// <summary>Of the runtime's garbage collector: told late, and in the order in which they were told.</summary>
    public TraceRing Runtime => _runtime;

    public static long Now() => Stopwatch.Frequency == 1_000_000_000 ? Stopwatch.GetTimestamp() : (long)(Stopwatch.GetTimestamp() * s_nanosecondsPerTick);

    // ---- What it is told ----

    public override void Spawned(Goroutine g) => Write(TraceRecordKind.Spawned, IdOf(g), 0, g.SpawnLine, g.SpawnFile);

    public override void Ended(Goroutine g)
    {
        Write(TraceRecordKind.Ended, IdOf(g));
        if (g.IsBranch)
            _branches.TryRemove(g, out _);
    }

    public override void Runs(Goroutine g, Processor processor)
    {
        TraceRing ring = RingOf(processor);
        Fill(ref ring.Next(null), TraceRecordKind.Runs, IdOf(g), 0, 0, processor.Index, processor.Machine?.Id ?? 0);
        ring.Publish();
    }

    public override void Parks(Goroutine g, WaitReason reason) => Write(TraceRecordKind.Parks, IdOf(g), (byte)reason, 0, g.ParkedFor is { } argument ? Innermost(argument).GetType() : null);

    public override void IsReady(Goroutine g) =>
        Write(TraceRecordKind.Ready, IdOf(g), 0, Machine.OfThisThread is { Current: { } waker } machine && machine.Scheduler == scheduler ? IdOf(waker) : 0);

    public override void Stolen(Goroutine g, Processor thief, Processor victim) => Write(TraceRecordKind.Stolen, IdOf(g), 0, victim.Index);

    public override void HandedOff(Processor processor, Machine from, HandOffReason reason)
    {
        lock (_othersLock)
        {
            Fill(ref _others.Next(null), TraceRecordKind.HandedOff, 0, (byte)reason, from.Id, processor.Index, 0);
            _others.Publish();
        }
    }

    public override void EntersSyscall(Goroutine g) => Write(TraceRecordKind.EntersSyscall, IdOf(g));

    public override void ExitsSyscall(Goroutine g, bool lostProcessor) => Write(TraceRecordKind.ExitsSyscall, IdOf(g), 0, lostProcessor ? 1 : 0);

    public override void ProcessorStarts(Processor processor, Machine machine) => Write(TraceRecordKind.ProcessorStarts, 0);

    public override void ProcessorStops(Processor processor) => Write(TraceRecordKind.ProcessorStops, 0);

    public override void Polled(Processor processor, int ready) => Write(TraceRecordKind.Polled, 0, 0, ready);

    public override void TimersFired(Processor processor, int count) => Write(TraceRecordKind.TimersFired, 0, 0, count);

    // ---- What users write ----

    /// <summary>The number of the goroutine that runs here; 0 for none.</summary>
    public long CurrentGoroutine => Machine.OfThisThread is { Current: { } g } machine && machine.Scheduler == scheduler ? IdOf(g) : 0;

    /// <summary>Of the goroutine that runs here.</summary>
    public void WriteOwn(TraceRecordKind kind, long value, object? reference) => Write(kind, CurrentGoroutine, 0, value, reference);

    // ---- What the runtime tells ----

    /// <summary>With a time of its own, which may be a while ago.</summary>
    public void WriteOfRuntime(long time, TraceRecordKind kind, long value)
    {
        lock (_runtime)
        {
            ref TraceRecord record = ref _runtime.Next(null);
            Fill(ref record, kind, 0, 0, value, -1, 0);
            record.Time = time;
            _runtime.Publish();
        }
    }

    /// <summary>The numbers of the branches that there are.</summary>
    public IEnumerable<long> Branches => _branches.Values;

    // ---- Writing ----

    private static object Innermost(object argument)
    {
        while (argument is IContinuationWrapper { Argument: { } inner })
            argument = inner;
        return argument;
    }

    private long IdOf(Goroutine g) => g.IsBranch ? IdOfBranch(g) : g.Id;

    private long IdOfBranch(Goroutine g) => _branches.GetOrAdd(g, static (_, observer) => Interlocked.Increment(ref observer._lastBranch), this);

    private void Write(TraceRecordKind kind, long goroutine, byte detail = 0, long value = 0, object? reference = null)
    {
        Machine? machine = Machine.OfThisThread;
        if (machine is not null && machine.Scheduler == scheduler)
        {
            Processor? p = machine.Pin(out int previous);
            if (p is not null)
            {
                TraceRing ring = RingOf(p);
                Fill(ref ring.Next(reference), kind, goroutine, detail, value, p.Index, machine.Id);
                ring.Publish();
                machine.Unpin(previous);
                return;
            }
            machine.Unpin(previous);
        }
        lock (_othersLock)
        {
            Fill(ref _others.Next(reference), kind, goroutine, detail, value, -1, machine?.Id ?? 0);
            _others.Publish();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fill(ref TraceRecord record, TraceRecordKind kind, long goroutine, byte detail, long value, int processor, int machine)
    {
        record.Time = Now();
        record.Goroutine = goroutine;
        record.Value = value;
        record.Machine = machine;
        record.Processor = (short)processor;
        record.Kind = kind;
        record.Detail = detail;
    }

    // The owner of the processor is the only one that writes to its ring.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TraceRing RingOf(Processor p) => _rings[p.Index] ?? MakeRing(p.Index);

    private TraceRing MakeRing(int processor) =>
        Interlocked.CompareExchange(ref _rings[processor], new TraceRing(capacity), null) ?? _rings[processor]!;
}
