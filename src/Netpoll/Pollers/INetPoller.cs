namespace NetGo.Netpoll;

// A descriptor's life with its poller, in this order:
//
//   Register     at its first wait. A descriptor that never has to wait is never registered
//   Arm          before each wait in a direction in which it has just been found not ready; both directions may come at once
//   Unregister   before it is closed
//   Free         after it is closed. From here the PollDesc is the poller's, which gives it back to PollDescTable when no event of
//                its user can come any more
//
// All but Arm are called once, one after the other, by who holds the descriptor.

/// <summary>A poller of descriptors: what a platform has to provide. The rest is <see cref="IPoller"/>'s.</summary>
internal interface INetPoller : IPoller
{
    /// <summary>Which one it is.</summary>
    PollerKind Kind { get; }

    /// <summary>Asks for the events of a descriptor, in both directions, edge-triggered: an event that is pending already
    /// is reported too. Go's netpollopen.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The system refused.</exception>
    void Register(nint descriptor, PollDesc desc);

    /// <summary>Asks for the next event of a direction, where the system reports each event only when asked to. Go's
    /// netpollarm.</summary>
    void Arm(PollDesc desc, PollMode mode);

    /// <summary>The descriptor is about to be closed; Go's netpollclose.</summary>
    /// <param name="descriptor">The descriptor.</param>
    /// <param name="desc">What it was registered with.</param>
    /// <param name="shared">Closing it here will not end it, because other processes have it too.</param>
    void Unregister(nint descriptor, PollDesc desc, bool shared);

    /// <summary>Gives the PollDesc of a descriptor that was registered, and is closed, back to <see cref="PollDescTable"/>,
    /// when no poll can have an event for its last user in hand any more.</summary>
    void Free(PollDesc desc);
}
