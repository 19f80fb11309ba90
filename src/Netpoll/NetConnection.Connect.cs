using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll;

// How a connection is opened from this end. A connect that has to wait is not tried again: when the socket is writable, SO_ERROR
// tells how it ended (Go's issue 7474). That a wait ended with an event does not say that it has ended, for the poller may have
// had the event in hand for somebody else (Go's 14548 and 19289), and SO_ERROR is 0 then too. So it has succeeded only when there
// is a peer.
public sealed partial class NetConnection
{
    private static readonly NetDialer s_dialer = new();

    /// <summary>Connects, with the defaults of <see cref="NetDialer"/>; Go's net.Dial.</summary>
    /// <inheritdoc cref="NetDialer.DialAsync(string, CancellationToken)"/>
    public static ValueTask<NetConnection> DialAsync(string address, CancellationToken cancellationToken = default) =>
        s_dialer.DialAsync(address, cancellationToken);

    /// <summary>Connects, with the defaults of <see cref="NetDialer"/>; Go's net.Dial.</summary>
    /// <inheritdoc cref="NetDialer.DialAsync(EndPoint, CancellationToken)"/>
    public static ValueTask<NetConnection> DialAsync(EndPoint endPoint, CancellationToken cancellationToken = default) =>
        s_dialer.DialAsync(endPoint, cancellationToken);

    /// <summary>Connects a socket that is not connected, and fetches the address of its peer.</summary>
    /// <param name="address">In the system's form.</param>
    /// <param name="deadline">By the scheduler's clock.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>How the wait for it ended, if there was one; when that is <see cref="PollResult.Ready"/>, also the system's
    /// (positive) error, or 0 when it is connected. After any other end the socket is of no further use.</returns>
    internal async ValueTask<(PollResult Wait, int Error)> ConnectAsync(
        ReadOnlyMemory<byte> address, long deadline, CancellationToken cancellationToken)
    {
        int result = SystemSockets.Connect(Descriptor, address.Span);
        if (result == 0)
        {
            // With fast open there is no peer before the first write.
            if (!TryFetchPeer())
                _remoteAddress = RawAddress.From(address.Span);
            return (PollResult.Ready, 0);
        }
        if (result != SystemSockets.WouldBlock)
            return (PollResult.Ready, -result);
        Desc.SetDeadline(PollMode.Write, deadline);
        do
        {
            PollResult wait = await WaitCancellablyAsync(PollMode.Write, cancellationToken);
            if (wait != PollResult.Ready)
                return (wait, 0);
            result = SystemSockets.GetOption(Descriptor, SocketOptionLevel.Socket, SocketOptionName.Error, out int error);
            if (result < 0 || error != 0)
                return (PollResult.Ready, result < 0 ? -result : error);
        }
        while (!TryFetchPeer());
        Desc.SetDeadline(PollMode.Write, long.MaxValue);
        return (PollResult.Ready, 0);
    }

    private unsafe bool TryFetchPeer()
    {
        byte* raw = stackalloc byte[SystemSockets.MaxAddressLength];
        uint length = SystemSockets.MaxAddressLength;
        if (SystemSockets.GetPeerAddress(Descriptor, raw, &length) < 0)
            return false;
        _remoteAddress = RawAddress.From(new ReadOnlySpan<byte>(raw, (int)length));
        return true;
    }

    /// <summary>Both ends are this socket. That happens when the system chooses, for a connection to a port of this machine on
    /// which nobody listens, that very port: TCP lets two ends open a connection to each other at the same time, and so one to
    /// itself.</summary>
    internal unsafe bool IsConnectedToItself()
    {
        byte* raw = stackalloc byte[SystemSockets.MaxAddressLength];
        uint length = SystemSockets.MaxAddressLength;
        return SystemSockets.GetLocalAddress(Descriptor, raw, &length) == 0 &&
            _remoteAddress.Span.SequenceEqual(new ReadOnlySpan<byte>(raw, (int)length));
    }
}
