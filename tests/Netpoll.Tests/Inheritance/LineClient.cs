using System.Net;
using System.Net.Sockets;
using System.Text;

namespace NetGo.Netpoll.Tests;

/// <summary>A client of <see cref="ChildServer"/>. It ends by a reset, so that no ports stay in use.</summary>
internal sealed class LineClient : IDisposable
{
    private const int BoundMilliseconds = 60_000;

    private readonly Socket _socket;

    public LineClient(EndPoint server)
    {
        _socket = server is IPEndPoint
            ? new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, LingerState = new LingerOption(true, 0) }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _socket.ReceiveTimeout = BoundMilliseconds;
        _socket.Connect(server);
    }

    /// <summary>A request on a connection of its own.</summary>
    public static string Ask(EndPoint server, string question)
    {
        using var client = new LineClient(server);
        return client.Ask(question);
    }

    public string Ask(string question)
    {
        _socket.Send(Encoding.ASCII.GetBytes(question + "\n"));
        byte[] buffer = new byte[4096];
        int length = 0;
        do
        {
            int n = _socket.Receive(buffer.AsSpan(length));
            if (n == 0)
                throw new EndOfStreamException($"The server closed the connection instead of answering \"{question}\".");
            length += n;
        }
        while (buffer[length - 1] != '\n');
        return Encoding.ASCII.GetString(buffer, 0, length - 1);
    }

    public void Dispose() => _socket.Dispose();
}
