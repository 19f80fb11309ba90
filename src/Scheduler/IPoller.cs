namespace NetGo;

/// <summary>What the scheduler needs of a network poller: the seam between the scheduler, which knows no sockets, and
/// Netpoll. One poller per processor; Go's netpollinit, netpoll and netpollBreak.</summary>
internal interface IPoller : IDisposable
{
    /// <summary>How many events a poll takes at most from a poller, half of a processor's ring; as many again from each that it has adopted. The
    /// others are left where they are, in their order. An event makes one goroutine ready, or two when it ends the connection of both.</summary>
    const int MaxEvents = RunQueue.Capacity / 2;

    /// <summary>Whether anything is registered; while false, polling without blocking is skipped.</summary>
    bool HasRegistrations { get; }

    /// <summary>Waits for events and appends the goroutines that they make ready (already marked runnable) to
    /// <paramref name="ready"/>. May be called by two threads at once: the owner, and sysmon with a time-out of 0.</summary>
    /// <param name="timeout">Nanoseconds; 0 does not wait, a negative number waits until an event or <see cref="Wake"/>.</param>
    /// <param name="ready">Where to append.</param>
    void Poll(long timeout, ref GoroutineQueue ready);

    /// <summary>Makes the current or the next blocking <see cref="Poll"/> return. Any thread.</summary>
    void Wake();

    /// <summary>Takes over the poller of a processor that is not in use any more: what happens there is seen to from now on.
    /// Nobody polls it in the meantime, but it may be woken, and descriptors may still be registered with it. False when the
    /// system has no room for that.</summary>
    bool TryAdopt(IPoller other);

    /// <summary>Undoes <see cref="TryAdopt"/>. False, with nothing changed, when the system has no room for that.</summary>
    bool TryRelease(IPoller other);
}
