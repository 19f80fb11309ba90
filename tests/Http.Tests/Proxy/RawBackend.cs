using System.Net;
using System.Net.Sockets;

namespace NetGo.Http.Tests.Proxy;

/// <summary>A server that does with each connection whatever a test wants, on a thread of its own.</summary>
internal sealed class RawBackend : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _sockets = [];
    private readonly Action<RawPeer> _serve;
    private Exception? _failure;
    private int _connections;

    public RawBackend(Action<RawPeer> serve)
    {
        _serve = serve;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        new Thread(Accept) { IsBackground = true }.Start();
    }

    /// <summary>One that reads a head, sends a response, and waits for the proxy to end the connection.</summary>
    public static RawBackend Answering(string response) => new(peer =>
    {
        peer.ReadHead();
        peer.Send(response);
        peer.Finish();
    });

    public Uri Url => new($"http://{_listener.LocalEndPoint}/");

    /// <summary>How many have been accepted.</summary>
    public int Connections => Volatile.Read(ref _connections);

    private void Accept()
    {
        try
        {
            while (true)
            {
                Socket socket = _listener.Accept();
                lock (_sockets)
                    _sockets.Add(socket);
                int number = Interlocked.Increment(ref _connections);
                new Thread(() => Serve(socket, number)) { IsBackground = true }.Start();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed of.
        }
    }

    private void Serve(Socket socket, int number)
    {
        using (socket)
        {
            try
            {
                _serve(new RawPeer(socket, number));
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
            {
                // The proxy has gone.
            }
            catch (Exception e)
            {
                _failure = e;
            }
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        lock (_sockets)
            _sockets.ForEach(static socket => socket.Dispose());
        Assert.Null(_failure);
    }
}
