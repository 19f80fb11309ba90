using System.Net.Sockets;
using NetGo.Netpoll;

namespace Sockets;

internal static class Dialing
{
    public static async Task DialAsync()
    {
        string address;
        using (NetListener closed = NetListener.Listen("127.0.0.1:0"))
            address = closed.LocalEndPoint.ToString()!;
        // snippet: dial
        var dialer = new NetDialer
        {
            Timeout = TimeSpan.FromSeconds(5),                  // for all of it: the name, every address
            FallbackDelay = TimeSpan.FromMilliseconds(300),     // happy eyeballs, RFC 8305
            KeepAlive = new TcpKeepAlive { Idle = TimeSpan.FromMinutes(1) },
        };
        try
        {
            using NetConnection connection = await dialer.DialAsync(address);   // "example.org:443", "[::1]:80", "unix:/path"
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            Console.WriteLine("refused");
        }
        // end
    }

    public static async Task DeadlinesAsync()
    {
        using NetListener listener = NetListener.Listen("127.0.0.1:0");
        Task<NetConnection> dial = NetConnection.DialAsync(listener.LocalEndPoint).AsTask();
        using NetConnection connection = await listener.AcceptAsync();
        using NetConnection client = await dial;
        byte[] buffer = new byte[100];
        // snippet: deadlines
        connection.SetReadDeadline(TimeSpan.FromMilliseconds(10));    // from now; or a DateTimeOffset
        try
        {
            await connection.ReadAsync(buffer);
        }
        catch (TimeoutException)
        {
            Console.WriteLine("nothing in 10 ms");
        }
        connection.SetReadDeadline(null);                             // until then all reads fail

        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(10));
        try
        {
            await connection.ReadAsync(buffer, source.Token);
        }
        catch (OperationCanceledException)
        {
            Console.WriteLine("cancelled");                           // nothing is lost: the next read goes on
        }
        // end
    }
}
