using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Experiments;

/// <summary>The least HTTP server that keeps connections: it answers each head with the same bytes. Once with a thread for each connection that
/// blocks in the system's calls, once with a goroutine for each over the poller; what they do for a request is the same code.</summary>
internal static class PlainServer
{
    private static readonly byte[] s_answer = Encoding.ASCII.GetBytes(
        "HTTP/1.1 200 OK\r\nServer: plain\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!");

    public static Task RunAsync(string kind, int port) => kind switch
    {
        "threads" => ServeByThreads(port),
        "netpoll" => Go.RunAsync(() => ServeByNetpollAsync(port)),
        _ => throw new CommandLineException($"There is no server {kind}."),
    };

    // ---- Threads ----

    private static Task ServeByThreads(int port)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        listener.Listen(4096);
        Console.WriteLine("listening");
        while (true)
        {
            Socket connection = listener.Accept();
            connection.NoDelay = true;
            new Thread(() => Serve(connection)) { IsBackground = true }.UnsafeStart();
        }
    }

    private static void Serve(Socket connection)
    {
        Span<byte> buffer = stackalloc byte[4096];
        int matched = 0;
        using (connection)
        {
            try
            {
                int n;
                while ((n = connection.Receive(buffer)) > 0)
                {
                    for (int heads = CountHeads(buffer[..n], ref matched); heads > 0; heads--)
                        connection.Send(s_answer);
                }
            }
            catch (SocketException)
            {
                // The client has gone.
            }
        }
    }

    // ---- The poller ----

    private static async Task ServeByNetpollAsync(int port)
    {
        using NetListener listener = NetListener.Listen(new IPEndPoint(IPAddress.Loopback, port), new ListenOptions { NoDelay = true });
        Console.WriteLine("listening");
        while (true)
        {
            NetConnection connection = await listener.AcceptAsync();
            Go.Spawn(() => ServeAsync(connection));
        }
    }

    private static async Task ServeAsync(NetConnection connection)
    {
        int matched = 0;
        using (connection)
        {
            try
            {
                while (true)
                {
                    await connection.WaitToReadAsync();
                    int heads = ReadHeads(connection, ref matched);
                    if (heads < 0)
                        return;
                    for (; heads > 0; heads--)
                        await connection.WriteAsync(s_answer);
                }
            }
            catch (IOException)
            {
                // The client has gone.
            }
        }
    }

    // Negative at the end. The buffer is the stack's: who waits has none.
    private static int ReadHeads(NetConnection connection, ref int matched)
    {
        Span<byte> buffer = stackalloc byte[4096];
        if (!connection.TryRead(buffer, out int n))
            return 0;
        return n == 0 ? -1 : CountHeads(buffer[..n], ref matched);
    }

    // How many empty lines end here, of which a part may have come before.
    private static int CountHeads(ReadOnlySpan<byte> bytes, ref int matched)
    {
        ReadOnlySpan<byte> end = "\r\n\r\n"u8;
        int heads = 0;
        while (bytes.Length > 0)
        {
            if (matched == 0)
            {
                int start = bytes.IndexOf((byte)'\r');
                if (start < 0)
                    break;
                bytes = bytes[start..];
            }
            if (bytes[0] != end[matched])
            {
                matched = 0;
                if (bytes[0] != '\r')
                    bytes = bytes[1..];
                continue;
            }
            bytes = bytes[1..];
            if (++matched == end.Length)
            {
                matched = 0;
                heads++;
            }
        }
        return heads;
    }
}
