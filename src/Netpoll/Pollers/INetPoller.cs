namespace NetGo.Netpoll;

/// <summary>A poller of descriptors: what a platform has to provide. The rest is <see cref="IPoller"/>'s.</summary>
internal interface INetPoller : IPoller
{
    /// <summary>Asks for the events of a descriptor, in both directions, edge-triggered: an event that is pending already
    /// is reported too. Go's netpollopen.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The system refused.</exception>
    void Register(int descriptor, PollDesc desc);

    /// <summary>The descriptor is about to be closed; Go's netpollclose.</summary>
    void Unregister(int descriptor, PollDesc desc);
}
