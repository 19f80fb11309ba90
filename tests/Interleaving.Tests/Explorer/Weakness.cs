namespace NetGo.Interleaving;

/// <summary>An operation that does less than it should: a seeded bug.</summary>
[Flags]
internal enum Weakness
{
    None = 0,

    /// <summary>Interlocked.CompareExchange compares and then, a step later, stores.</summary>
    CompareExchangeIsNotAtomic = 1,

    /// <summary>Interlocked operations are atomic but no fences: their stores may be delayed.</summary>
    InterlockedIsNoFence = 2,

    /// <summary>Interlocked.MemoryBarrierProcessWide does nothing.</summary>
    NoProcessWideBarrier = 4,

    /// <summary>Locks do not exclude anybody.</summary>
    LocksDoNothing = 8,

    /// <summary>Interlocked.And and Or, Exchange, Add, Increment and Decrement load and then, a step later, store.</summary>
    UpdatesAreNotAtomic = 16,

    /// <summary>Interlocked.MemoryBarrier does nothing.</summary>
    BarriersDoNothing = 32,

    /// <summary>Leaving a lock is a release and no fence, as on Arm: what was stored before is seen by who takes the lock next, and
    /// by others whenever it is. No bug, but what code that must run there may not rely on.</summary>
    LeavingALockIsNoFence = 64,

    /// <summary>Volatile.Read returns the default value: as if nobody had looked.</summary>
    ReadsSeeNothing = 128,
}
