using System.Buffers;
using System.Text;
using NetGo;
using NetGo.Netpoll;

namespace Sockets;

internal static class Streams
{
    public static async Task EchoAsync()
    {
        // snippet: echo
        using NetListener listener = NetListener.Listen("127.0.0.1:0");   // net.Listen("tcp", "127.0.0.1:0")
        Go.Spawn(async () =>
        {
            try
            {
                while (true)
                {
                    NetConnection connection = await listener.AcceptAsync();
                    Go.Spawn(() => ServeAsync(connection));               // go serve(conn)
                }
            }
            catch (ObjectDisposedException)
            {
                // the listener has been closed: an exception that nobody catches would end the process
            }
        });

        using NetConnection client = await NetConnection.DialAsync(listener.LocalEndPoint);
        await client.WriteAsync("hello"u8.ToArray());                     // all of it
        byte[] answer = new byte[100];
        int n = await client.ReadAsync(answer);                           // at least one byte; 0 at the end
        Console.WriteLine(Encoding.ASCII.GetString(answer, 0, n));        // hello

        static async Task ServeAsync(NetConnection connection)
        {
            using (connection)
            {
                byte[] buffer = new byte[4096];
                while (await connection.ReadAsync(buffer) is > 0 and int n)
                    await connection.WriteAsync(buffer.AsMemory(0, n));
            }
        }
        // end
    }

    public static async Task WithoutBufferAsync()
    {
        using NetListener listener = NetListener.Listen("127.0.0.1:0");
        Task<NetConnection> dial = NetConnection.DialAsync(listener.LocalEndPoint).AsTask();
        using NetConnection connection = await listener.AcceptAsync();
        using NetConnection client = await dial;
        await client.WriteAsync("hello world"u8.ToArray());
        client.CloseWrite();
        // snippet: no-buffer
        int total = 0;
        for (bool ended = false; !ended;)
        {
            await connection.WaitToReadAsync();                           // holds no buffer while nothing comes
            byte[] buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
            while (!ended && connection.TryRead(buffer, out int n))       // false: nothing is there, wait again
            {
                total += n;
                ended = n == 0;
            }
            ArrayPool<byte>.Shared.Return(buffer);
        }
        Console.WriteLine($"{total} bytes");                              // 11 bytes
        // end
    }

    public static async Task StreamAsync()
    {
        using NetListener listener = NetListener.Listen("127.0.0.1:0");
        Task<NetConnection> dial = NetConnection.DialAsync(listener.LocalEndPoint).AsTask();
        NetConnection connection = await listener.AcceptAsync();
        using NetConnection client = await dial;
        await client.WriteAsync("first line\nsecond line\n"u8.ToArray());
        // snippet: stream
        using var reader = new StreamReader(connection.AsStream());       // or new SslStream(connection.AsStream()), ...
        Console.WriteLine(await reader.ReadLineAsync());                  // first line
        // end
    }

    public static async Task UnixAsync()
    {
        string path = Path.Combine(Path.GetTempPath(), $"netgo-{Environment.ProcessId}.sock");
        // snippet: unix
        using NetListener listener = NetListener.Listen($"unix:{path}");  // "unix:@name": an abstract name, on Linux
        Task<NetConnection> dial = NetConnection.DialAsync($"unix:{path}").AsTask();
        using NetConnection server = await listener.AcceptAsync();
        using NetConnection client = await dial;
        await client.WriteAsync("over a file"u8.ToArray());
        // end
        byte[] buffer = new byte[100];
        Console.WriteLine(Encoding.ASCII.GetString(buffer, 0, await server.ReadAsync(buffer)));
    }
}
