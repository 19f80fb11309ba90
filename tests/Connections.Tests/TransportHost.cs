using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace NetGo.Connections.Tests;

/// <summary>A listener of the transport under test, and clients on plain sockets.</summary>
public sealed class TransportHost : IAsyncDisposable
{
    private readonly List<Socket> _clients = [];
    private readonly List<ConnectionContext> _connections = [];

    private TransportHost(IConnectionListener listener) => Listener = listener;

    public IConnectionListener Listener { get; }

    public static async Task<TransportHost> StartAsync(IConnectionListenerFactory factory, EndPoint? endPoint = null) =>
        new(await factory.BindAsync(endPoint ?? new IPEndPoint(IPAddress.Loopback, 0)));

    /// <summary>A client's socket, and what the transport has made of its connection.</summary>
    public async Task<(Socket Client, ConnectionContext Server)> ConnectAsync(Action<Socket>? prepare = null)
    {
        ValueTask<ConnectionContext?> accept = Listener.AcceptAsync();
        EndPoint endPoint = Listener.EndPoint;
        bool isUnix = endPoint is UnixDomainSocketEndPoint;
        var client = new Socket(endPoint.AddressFamily, SocketType.Stream, isUnix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        if (!isUnix)
            client.NoDelay = true;
        _clients.Add(client);
        prepare?.Invoke(client);
        await client.ConnectAsync(endPoint);
        ConnectionContext? server = await accept.AsTask().Within();
        Assert.NotNull(server);
        _connections.Add(server);
        return (client, server);
    }

    /// <summary>Ends the stream with a reset.</summary>
    public static void Reset(Socket client)
    {
        client.LingerState = new LingerOption(true, 0);
        client.Close();
    }

    public static async Task SendAsync(Socket client, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await client.SendAsync(bytes)..];
    }

    /// <summary>The bytes up to the end of the stream; with <paramref name="count"/>, that many.</summary>
    public static async Task<byte[]> ReceiveAsync(Socket client, int? count = null)
    {
        var received = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        while (count is null || received.Length < count)
        {
            int n = await client.ReceiveAsync(buffer.AsMemory(0, count is { } total ? (int)Math.Min(buffer.Length, total - received.Length) : buffer.Length))
                .AsTask().Within();
            if (n == 0)
                break;
            received.Write(buffer, 0, n);
        }
        return received.ToArray();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Socket client in _clients)
            client.Dispose();
        foreach (ConnectionContext connection in _connections)
        {
            connection.Abort();
            await connection.DisposeAsync().AsTask().Within();
        }
        await Listener.DisposeAsync();
    }
}
