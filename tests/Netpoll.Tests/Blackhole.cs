using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

/// <summary>An address that does not answer: its listener's backlog is full, so the system drops what asks for a connection, and
/// the client asks again, after a second at first.</summary>
internal sealed class Blackhole : IDisposable
{
    private readonly Socket _listener;
    private readonly Socket _filler;
    private Socket? _accepted;

    public Blackhole(string address, int port = 0)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || Wine.IsHere, "Elsewhere a full backlog refuses, or is not that short.");
        IPAddress ip = IPAddress.Parse(address);
        _listener = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(ip, port));
        _listener.Listen(0); // room for one
        _filler = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _filler.Connect(_listener.LocalEndPoint!);
    }

    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>The next time that a client asks, it is answered.</summary>
    public void Open() => _accepted = _listener.Accept();

    public void Dispose()
    {
        _listener.Dispose();
        _filler.Dispose();
        _accepted?.Dispose();
    }
}
