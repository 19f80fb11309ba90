using System.Runtime.CompilerServices;

namespace NetGo;

// The processor that a machine holds, and its hand-off. While a machine runs user code, sysmon may take its processor away:
// the code may be blocked in the kernel, and the processor's queue, poller and buffers are needed. But the machine's thread
// uses these without a lock, so sysmon may take the processor only while that thread is not using it, and the thread must
// notice before it next does:
//
//   machine, Pin                        sysmon, TryTake (under _lock)
//   1  _pinned = 1                      1  _processor = null
//   2  read _processor                  2  a memory barrier in every thread of the process
//      not null: use it                 3  read _pinned
//      null: ask under _lock               0: the machine had not pinned before 1 was seen: taken
//   3  _pinned = 0 (Unpin)                 1: it may be using it: put back, try again at the next look
//
// The usual Dekker protocol needs a full fence between the machine's steps 1 and 2, at every use. The process-wide barrier
// on sysmon's side (membarrier(2); Interlocked.MemoryBarrierProcessWide) makes two plain accesses enough: whatever the
// machine's thread had done is visible after it, and whatever it does later sees the null.
//
// In the scheduler's own code the machine is pinned throughout; it is unpinned only while Goroutine.Run is on the stack.
internal struct ProcessorSlot
{
    private readonly Lock _lock = new();
    private Processor? _processor;
    private int _pinned = 1;

    public ProcessorSlot(Processor? processor) => _processor = processor;

    public readonly bool IsPinned => Volatile.Read(in _pinned) != 0;

    /// <summary>The machine's own thread: the processor, for use until <see cref="Unpin"/> with <paramref name="previous"/>;
    /// null when it was handed off. Nests.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Processor? Pin(out int previous)
    {
        previous = _pinned;
        Volatile.Write(ref _pinned, 1);
        return Volatile.Read(ref _processor) ?? Settled();
    }

    /// <summary>The machine's own thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Unpin(int previous) => Volatile.Write(ref _pinned, previous);

    /// <summary>The machine's own thread, pinned: what it holds. A null that is read without the lock may be an attempt to take
    /// it that is still under way.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Processor? Get() => Volatile.Read(ref _processor) ?? Settled();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly Processor? Settled()
    {
        lock (_lock)
            return _processor;
    }

    /// <summary>Any thread: what it holds, or held a moment ago.</summary>
    public readonly Processor? Peek() => Volatile.Read(in _processor);

    /// <summary>Sysmon: takes the processor of a machine that runs user code. False when it is using it, or has another.</summary>
    public bool TryTake(Processor expected)
    {
        lock (_lock)
        {
            if (Volatile.Read(ref _processor) != expected || IsPinned)
                return false;
            Volatile.Write(ref _processor, null);
            Interlocked.MemoryBarrierProcessWide();
            if (!IsPinned)
                return true;
            Volatile.Write(ref _processor, expected);
            return false;
        }
    }

    /// <summary>Gives a processor to a machine that has none and waits for one.</summary>
    public void Give(Processor? processor)
    {
        lock (_lock)
            Volatile.Write(ref _processor, processor);
    }

    /// <summary>The machine's own thread, pinned: gives its processor up.</summary>
    public Processor? GiveUp()
    {
        lock (_lock)
        {
            Processor? processor = _processor;
            _processor = null;
            return processor;
        }
    }
}
