using System.Net;
using System.Net.Sockets;

namespace NetGo.Connections;

/// <summary>Connects sockets, for the fallback.</summary>
internal static class FallbackDialer
{
    private static readonly TimeSpan s_fallbackDelay = TimeSpan.FromMilliseconds(300); // as NetDialer's

    /// <summary>Connects.</summary>
    /// <param name="endPoint">An IP address, a Unix socket, or a name, whose addresses are tried by RFC 8305.</param>
    /// <param name="noDelay">TCP_NODELAY.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="SocketException">Nobody listens there, or it cannot be reached.</exception>
    /// <exception cref="ArgumentException">It is another kind of end point.</exception>
    public static async Task<Socket> ConnectAsync(EndPoint endPoint, bool noDelay, CancellationToken cancellationToken)
    {
        Socket socket = endPoint switch
        {
            IPEndPoint => await ConnectAsync(endPoint, ProtocolType.Tcp, cancellationToken).ConfigureAwait(false),
            UnixDomainSocketEndPoint => await ConnectAsync(endPoint, ProtocolType.Unspecified, cancellationToken).ConfigureAwait(false),
            DnsEndPoint name => await ConnectByNameAsync(name, cancellationToken).ConfigureAwait(false),
            _ => throw new ArgumentException($"A {endPoint.GetType().Name} cannot be dialled.", nameof(endPoint)),
        };
        TcpOptions.Apply(socket, noDelay);
        return socket;
    }

    private static async Task<Socket> ConnectAsync(EndPoint endPoint, ProtocolType protocol, CancellationToken cancellationToken)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, protocol);
        try
        {
            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // RFC 8305: the addresses of the family that the resolver has put first are tried in turn, and those of the other when that takes a while, or
    // has failed. Who connects stops the others, and all have ended before this does.
    private static async Task<Socket> ConnectByNameAsync(DnsEndPoint name, CancellationToken cancellationToken)
    {
        IPAddress[] addresses = await Dns.GetHostAddressesAsync(name.Host, name.AddressFamily, cancellationToken).ConfigureAwait(false);
        if (addresses.Length == 0)
            throw new SocketException((int)SocketError.NoData, $"dial {name.Host}:{name.Port}: the name has no address");
        ILookup<bool, IPEndPoint> isFirstFamily = addresses.ToLookup(a => a.AddressFamily == addresses[0].AddressFamily, a => new IPEndPoint(a, name.Port));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<Socket> first = ConnectInTurnAsync(isFirstFamily[true], stop.Token);
        Task<Socket>[] attempts = isFirstFamily.Contains(false) ? [first, ConnectAfterAsync(first, isFirstFamily[false], stop.Token)] : [first];
        Socket? connected = null;
        await foreach (Task<Socket> attempt in Task.WhenEach(attempts).ConfigureAwait(false))
        {
            if (!attempt.IsCompletedSuccessfully)
            {
                _ = attempt.Exception; // observed, though nobody is told of the second's
                continue;
            }
            stop.Cancel();
            if (connected is null)
                connected = attempt.Result;
            else
                attempt.Result.Dispose();
        }
        if (connected is not null)
            return connected;
        cancellationToken.ThrowIfCancellationRequested();
        return await first.ConfigureAwait(false); // its error
    }

    private static async Task<Socket> ConnectAfterAsync(Task first, IEnumerable<IPEndPoint> addresses, CancellationToken cancellationToken)
    {
        await Task.WhenAny(first, Task.Delay(s_fallbackDelay, cancellationToken)).ConfigureAwait(false);
        return await ConnectInTurnAsync(addresses, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<Socket> ConnectInTurnAsync(IEnumerable<IPEndPoint> addresses, CancellationToken cancellationToken)
    {
        SocketException? failure = null;
        foreach (IPEndPoint address in addresses)
        {
            try
            {
                return await ConnectAsync(address, ProtocolType.Tcp, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                failure ??= e;
            }
        }
        throw failure!;
    }
}
