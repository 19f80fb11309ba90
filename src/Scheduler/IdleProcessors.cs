using System.Numerics;
using System.Runtime.CompilerServices;

namespace NetGo;

// Which processors sleep in their pollers, and how many machines look for work in the queues of others (spin).
//
// Going to sleep and giving work to a sleeper are a store-then-load on each side:
//
//   going idle                                   submitting to the global queue
//   1  set the idle bit (a full fence)           1  enqueue, under the lock (a full fence)
//   2  look at all queues and timers again       2  find an idle bit, clear it, wake that poller
//
// so one of the two sees the other. Who clears an idle bit has the sleeper: exactly one wakes it, and counts it as spinning.
// While anybody spins nobody is woken: who spins finds the work, and the last one that stops spinning either found some and
// wakes another, for there may be more, or found none and, having gone idle, looks at all queues once more.
internal sealed class IdleProcessors
{
    /// <summary>How many processors there may be.</summary>
    public const int Max = 1024;

    private readonly ulong[] _mask = new ulong[Max / 64];
    private int _spinning;

    /// <summary>How many machines look for work in the queues of others.</summary>
    public int Spinning => Volatile.Read(ref _spinning);

    public bool IsIdle(int processor) => (Volatile.Read(ref _mask[processor / 64]) & (1UL << (processor % 64))) != 0;

    /// <summary>A full fence.</summary>
    public void Set(int processor) => Interlocked.Or(ref _mask[processor / 64], 1UL << (processor % 64));

    /// <summary>A full fence. Whether it was idle: the caller then has it.</summary>
    public bool TryClear(int processor)
    {
        ulong bit = 1UL << (processor % 64);
        return (Interlocked.And(ref _mask[processor / 64], ~bit) & bit) != 0;
    }

    public bool AllOf(int processors)
    {
        int idle = 0;
        for (int word = 0; word * 64 < processors; word++)
            idle += BitOperations.PopCount(Volatile.Read(ref _mask[word]));
        return idle >= processors;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool AnyOf(int processors) => Volatile.Read(ref _mask[0]) != 0 || (processors > 64 && AnyBeyondFirstWord(processors));

    /// <summary>Whether somebody should be woken for new work: one is idle, and nobody is looking for work.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool ShouldWake(int processors) => Volatile.Read(ref _spinning) == 0 && AnyOf(processors);

    private bool AnyBeyondFirstWord(int processors)
    {
        for (int word = 1; word * 64 < processors; word++)
        {
            if (Volatile.Read(ref _mask[word]) != 0)
                return true;
        }
        return false;
    }

    // Not those that are on their way out, whose bits mean nothing to those who look for a processor to wake.
    private bool AnyBelow(int processors)
    {
        for (int i = 0; i < processors; i += 64)
        {
            ulong those = processors - i >= 64 ? ulong.MaxValue : (1UL << (processors - i)) - 1;
            if ((Volatile.Read(ref _mask[i / 64]) & those) != 0)
                return true;
        }
        return false;
    }

    /// <summary>Takes an idle processor to be woken, counted as spinning; -1 when there is none, or somebody is looking
    /// already.</summary>
    public int TakeToWake(int processors)
    {
        while (Interlocked.CompareExchange(ref _spinning, 1, 0) == 0)
        {
            for (int i = 0; i < processors; i++)
            {
                if (IsIdle(i) && TryClear(i))
                    return i;
            }
            EndSpinning();
            // Who submitted meanwhile saw somebody spin and woke nobody. A processor that went idle before that, but after we
            // looked at its bit, sleeps on it.
            if (!AnyBelow(processors))
                break;
        }
        return -1;
    }

    /// <summary>Takes this processor, to be woken, if it is idle; counted as spinning. When it is not, the caller must see
    /// whether <see cref="ShouldWake"/>: who submitted meanwhile saw somebody spin and woke nobody.</summary>
    public bool TryTakeToWake(int processor)
    {
        Interlocked.Increment(ref _spinning);
        if (TryClear(processor))
            return true;
        EndSpinning();
        return false;
    }

    /// <summary>At most half of the processors look for work in others' queues at a time.</summary>
    public bool TryBeginSpinning(int processors)
    {
        if (2 * Volatile.Read(ref _spinning) >= processors)
            return false;
        Interlocked.Increment(ref _spinning);
        return true;
    }

    public void EndSpinning() => Interlocked.Decrement(ref _spinning);
}
