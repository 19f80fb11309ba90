using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ShutdownLoad;

/// <summary>One client: a connection after the other, with one request on each, or as many as the server answers.</summary>
internal sealed class Client(IPEndPoint server, Totals totals, Random random, bool keeps)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly byte[] _buffer = new byte[64 * 1024];

    /// <summary>Until nobody listens any more.</summary>
    public async Task RunAsync()
    {
        while (true)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(server);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ConnectionReset)
            {
                Interlocked.Increment(ref totals.Refused);
                return;
            }
            Interlocked.Increment(ref totals.Connections);
            bool kept = false;
            while (await AskAsync(socket, kept))
                kept = true;
        }
    }

    // Whether the connection can be asked again.
    private async Task<bool> AskAsync(Socket socket, bool kept)
    {
        int id = totals.NextId();
        int port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        using var limit = new CancellationTokenSource(s_patience);
        int got = 0;
        string outcome;
        try
        {
            await socket.SendAsync(Request(id), limit.Token);
        }
        catch (OperationCanceledException)
        {
            // What has been answered may be there to read all the same.
        }
        catch (SocketException)
        {
            // Likewise: a server may close while a request is being sent.
        }
        try
        {
            int n;
            while ((n = await socket.ReceiveAsync(_buffer.AsMemory(got), limit.Token)) > 0)
            {
                got += n;
                if (Answer.Read(_buffer.AsSpan(0, got)) is { } answer)
                {
                    Interlocked.Increment(ref totals.Answered);
                    return keeps && !answer.Closes;
                }
            }
            outcome = got == 0 ? "none" : "part";
        }
        catch (OperationCanceledException)
        {
            outcome = "late";
        }
        catch (SocketException)
        {
            outcome = got == 0 ? "none" : "part";
        }
        Console.WriteLine($"unanswered {id} {(kept ? "kept" : "fresh")} {port} {outcome}");
        return false;
    }

    private byte[] Request(int id)
    {
        string close = keeps ? "" : "Connection: close\r\n";
        string fields = $"Host: {server}\r\nX-Id: {id}\r\n{close}";
        return random.Next(3) switch
        {
            0 => Encoding.ASCII.GetBytes($"GET /json HTTP/1.1\r\n{fields}\r\n"),
            1 => Encoding.ASCII.GetBytes($"GET /sleep?ms={random.Next(1, 60)} HTTP/1.1\r\n{fields}\r\n"),
            _ => Encoding.ASCII.GetBytes($"POST /echo HTTP/1.1\r\n{fields}Content-Length: 20000\r\n\r\n{new string('x', 20000)}"),
        };
    }
}
