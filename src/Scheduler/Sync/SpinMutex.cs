using System.Runtime.CompilerServices;

namespace NetGo;

/// <summary>A lock for a few dozen instructions that never wait, call user code or throw: the place of runtime.mutex in Go's
/// channels. Not reentrant. Cheaper than <see cref="Lock"/>: leaving it is a plain store, and it knows no owner.</summary>
internal struct SpinMutex
{
    private int _held;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enter()
    {
        if (Interlocked.CompareExchange(ref _held, 1, 0) != 0)
            EnterContended();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Exit() => Volatile.Write(ref _held, 0);

    // The holder may have lost its core, so the spin gives way to the system's other threads before long.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void EnterContended()
    {
        var spin = new SpinWait();
        do
        {
            spin.SpinOnce();
        }
        while (Volatile.Read(ref _held) != 0 || Interlocked.CompareExchange(ref _held, 1, 0) != 0);
    }
}
