using System.Numerics;
using Microsoft.Extensions.Logging;

namespace NetGo;

/// <summary>How a <see cref="GoScheduler"/> is made.</summary>
public sealed class SchedulerOptions
{
    /// <summary>The number of processors: how many goroutines run at the same time, 1 to 1024. The default is the number of
    /// cores that the process may use (CPU affinity and container limits are respected), or the environment variable
    /// <c>NETGO_MAXPROCS</c>. Go's GOMAXPROCS. <see cref="GoScheduler.MaxProcs"/> changes it later.</summary>
    public int MaxProcs { get; set; } = DefaultMaxProcs();

    /// <summary>The clock of sleeps and deadlines. The default is the system's monotonic clock.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>How many threads the scheduler may have, at least <see cref="MaxProcs"/>: one for each processor, and one for
    /// each goroutine that blocks its thread or has locked it. The default is 10,000; Go's debug.SetMaxThreads. Beyond it, see
    /// <see cref="MachineLimitException"/>.</summary>
    public int MaxMachines { get; set; } = 10_000;

    /// <summary>How long a thread waits for work before it ends, at most 24 days, or <see cref="Timeout.InfiniteTimeSpan"/>. The
    /// default is 30 seconds.</summary>
    public TimeSpan MachineIdleTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>What runs next, and for how long. The default is <see cref="SchedulingPolicy.Default"/>.</summary>
    public SchedulingPolicy Policy { get; set; } = SchedulingPolicy.Default;

    /// <summary>Where connections and servers on this scheduler have their buffers from. Several schedulers may share one. The default,
    /// null, is <see cref="BufferPool.Shared"/>.</summary>
    public BufferPool? Buffers { get; set; }

    /// <summary>Where the threads that run goroutines may run. The default is <see cref="MachineBinding.Node"/> on a machine with
    /// several memory nodes, else <see cref="MachineBinding.None"/>: where all memory is equally near the system knows better which core is
    /// free. What a goroutine starts may inherit the binding: programs do (but those of <c>ListenerHandOver</c>), and with Native AOT threads
    /// do as well, the thread pool's included, which elsewhere the runtime has run where the process may.</summary>
    public MachineBinding MachineBinding { get; set; } =
        NumaTopology.Current.NodeCount > 1 ? MachineBinding.Node : MachineBinding.None;

    /// <summary>How many events each processor keeps while a trace is being taken (<see cref="GoTrace"/>): those that come faster than they are
    /// written overwrite the oldest, which are lost. Of 40 bytes each. A power of two from 1,024 to 16 Mi; the default is 65,536.</summary>
    public int TraceBufferEvents { get; set; } = 64 * 1024;

    /// <summary>A goroutine that waits for longer than this is reported, once, with where it was spawned and what it waits in; the same ones
    /// together. Sleeps, and waits for the network, do not count. The default, <see cref="Timeout.InfiniteTimeSpan"/>, is not to.</summary>
    public TimeSpan LongWait { get; set; } = Timeout.InfiniteTimeSpan;

    /// <summary>When all goroutines have been asleep for so long, each for another, that is reported, once, with all of them; Go ends the
    /// process there, but here another thread could still wake one. It is not reported where sockets or timers are waited for, nor when such
    /// a thread has woken one before. The default is 10 seconds; <see cref="Timeout.InfiniteTimeSpan"/> is not to. With Native AOT a goroutine that awaits a
    /// task is never taken to be asleep.</summary>
    public TimeSpan DeadlockAfter { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Where <see cref="LongWait"/> and <see cref="DeadlockAfter"/> are reported. The default, null, is standard error.</summary>
    public ILogger? Logger { get; set; }

    internal void Validate()
    {
        if (TraceBufferEvents is < 1024 or > 16 * 1024 * 1024 || !BitOperations.IsPow2(TraceBufferEvents))
            throw new ArgumentOutOfRangeException(nameof(TraceBufferEvents), TraceBufferEvents, "A power of two from 1,024 to 16,777,216.");
        ValidatePositive(LongWait, nameof(LongWait));
        ValidatePositive(DeadlockAfter, nameof(DeadlockAfter));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxProcs, 1, nameof(MaxProcs));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxProcs, IdleProcessors.Max, nameof(MaxProcs));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxMachines, MaxProcs, nameof(MaxMachines));
        if (MachineIdleTimeout != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(MachineIdleTimeout, TimeSpan.Zero, nameof(MachineIdleTimeout));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(MachineIdleTimeout, TimeSpan.FromMilliseconds(int.MaxValue), nameof(MachineIdleTimeout));
        }
        if (MachineBinding is < MachineBinding.None or > MachineBinding.Core)
            throw new ArgumentOutOfRangeException(nameof(MachineBinding), MachineBinding, "It is none of those that there are.");
        ArgumentNullException.ThrowIfNull(TimeProvider);
        ArgumentNullException.ThrowIfNull(Policy);
        if (Policy.TimeSlice != Timeout.InfiniteTimeSpan)
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(Policy.TimeSlice, TimeSpan.Zero, "Policy.TimeSlice");
    }

    private static void ValidatePositive(TimeSpan value, string name)
    {
        if (value != Timeout.InfiniteTimeSpan)
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, name);
    }

    private static int DefaultMaxProcs() => Math.Min(
        int.TryParse(Environment.GetEnvironmentVariable("NETGO_MAXPROCS"), out int n) && n > 0 ? n : Environment.ProcessorCount,
        IdleProcessors.Max);
}
