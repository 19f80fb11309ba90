using System.Net.Sockets;
using System.Text;

namespace NetGo.Http.Tests.Proxy;

/// <summary>The backend's end of a connection from the proxy. Text is Latin-1; all waits are bounded.</summary>
internal sealed class RawPeer
{
    private readonly NetworkStream _stream;

    public RawPeer(Socket socket, int number)
    {
        Socket = socket;
        Number = number;
        socket.NoDelay = true;
        socket.ReceiveTimeout = socket.SendTimeout = (int)Bounded.Limit.TotalMilliseconds;
        _stream = new NetworkStream(socket);
    }

    public Socket Socket { get; }

    /// <summary>1 for the backend's first connection.</summary>
    public int Number { get; }

    /// <summary>All up to and with the empty line; "" when the connection has ended instead.</summary>
    public string ReadHead()
    {
        var head = new StringBuilder();
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            int next = _stream.ReadByte();
            if (next < 0)
                return head.Length == 0 ? "" : throw new EndOfStreamException($"The connection ended within \"{head}\".");
            head.Append((char)next);
        }
        return head.ToString();
    }

    public string Read(int count)
    {
        byte[] bytes = new byte[count];
        _stream.ReadExactly(bytes);
        return Encoding.Latin1.GetString(bytes);
    }

    public string ReadToEnd()
    {
        var all = new MemoryStream();
        _stream.CopyTo(all);
        return Encoding.Latin1.GetString(all.ToArray());
    }

    public void Send(string text) => _stream.Write(Encoding.Latin1.GetBytes(text));

    /// <summary>Ends its stream, and waits for the proxy to end its own.</summary>
    public void Finish()
    {
        Socket.Shutdown(SocketShutdown.Send);
        _ = ReadToEnd();
    }

    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Dispose();
    }
}
