using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace NetGo;

// The status of a goroutine and, while it waits, why. One word: the status in the low byte, the wait reason above it.
//
//   from        to          by
//   Idle, Dead  Runnable    Spawn, which has made it or has it from a free list
//   Idle, Dead  Running     code that has lost its goroutine and takes a branch
//   Runnable    Running     the machine that took it from a queue (it alone can have it)
//   Running     Waiting(r)  the code that runs on it, in Park; r is a reason other than Task. The parking code then gives it
//                           to exactly one place (a pollDesc's rg, a timer, a wait queue)
//   Waiting(r)  Runnable    whoever took it from that place, in Ready
//   Running     Waiting(T)  the machine, when the code returned without parking and the body has not ended: it awaits
//                           something that is not ours (reason Task)
//   Waiting(T)  Runnable    Post, by compare-and-swap: the foreign thing has completed
//   Waiting(T)  Dead        by compare-and-swap, by whoever sees that the body has completed elsewhere
//   Running     Runnable    a branch that is posted to as soon as it is made
//   Running     Dead        the machine, when the code returned and the body had completed
//   Running     Syscall     the code that runs on it, on its way into Go.Blocking
//   Syscall     Running     the same, on its way out, when its machine has a processor still
//   Syscall     Runnable    the same, when it has none: it waits on a run queue for one
//   Syscall     Waiting(r)  the code in there parks after all
//
// Only the two ways out of Waiting(T) compete, so only they swap; in all other rows one thread has the goroutine, and a plain
// store does. In Debug every step is checked against the table.
internal struct GoroutineState
{
    private int _word;

    private static readonly int s_waitingForTask = Pack(GoroutineStatus.Waiting, WaitReason.Task);

    public readonly GoroutineStatus Status => (GoroutineStatus)(byte)Volatile.Read(in _word);

    public readonly WaitReason WaitReason => (WaitReason)(byte)(Volatile.Read(in _word) >> 8);

    /// <summary>Both at one moment.</summary>
    public readonly GoroutineState Read() => new() { _word = Volatile.Read(in _word) };

    private static int Pack(GoroutineStatus status, WaitReason reason = WaitReason.None) => (int)status | ((int)reason << 8);

    /// <summary>By the one thread that has the goroutine.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Set(GoroutineStatus next)
    {
        Check(_word, Pack(next));
        _word = Pack(next);
    }

    /// <summary>Running to Waiting. What was written before is seen by who makes it ready.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Park(WaitReason reason)
    {
        Check(_word, Pack(GoroutineStatus.Waiting, reason));
        Volatile.Write(ref _word, Pack(GoroutineStatus.Waiting, reason));
    }

    /// <summary>Running to Waiting for a task. From here on others may take it; a full fence.</summary>
    public void ParkForTask()
    {
        Check(_word, s_waitingForTask);
        Interlocked.Exchange(ref _word, s_waitingForTask);
    }

    /// <summary>From Waiting for a task to Runnable or Dead, if it is still that.</summary>
    public bool TryTakeFromTask(GoroutineStatus next)
    {
        Check(s_waitingForTask, Pack(next));
        return Interlocked.CompareExchange(ref _word, Pack(next), s_waitingForTask) == s_waitingForTask;
    }

    [Conditional("DEBUG")]
    private static void Check(int from, int to)
    {
        if (!IsAllowed((GoroutineStatus)(byte)from, (GoroutineStatus)(byte)to))
            throw new InvalidOperationException($"A goroutine cannot go from {(GoroutineStatus)(byte)from} to {(GoroutineStatus)(byte)to}.");
    }

    /// <summary>The table above.</summary>
    internal static bool IsAllowed(GoroutineStatus from, GoroutineStatus to) => (from, to) switch
    {
        (GoroutineStatus.Idle or GoroutineStatus.Dead, GoroutineStatus.Runnable or GoroutineStatus.Running) => true,
        (GoroutineStatus.Runnable, GoroutineStatus.Running) => true,
        (GoroutineStatus.Running, GoroutineStatus.Waiting or GoroutineStatus.Runnable or GoroutineStatus.Dead or GoroutineStatus.Syscall) => true,
        (GoroutineStatus.Waiting, GoroutineStatus.Runnable or GoroutineStatus.Dead) => true,
        (GoroutineStatus.Syscall, GoroutineStatus.Running or GoroutineStatus.Runnable or GoroutineStatus.Waiting) => true,
        _ => false,
    };
}
