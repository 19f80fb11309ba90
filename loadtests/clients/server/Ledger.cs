using System.Collections.Concurrent;
using System.Net;
using NetGo.Http;
using NetGo.Netpoll;

namespace ClientsServer;

/// <summary>Which connections were accepted and which requests were begun, for shutdown.sh: lines "accepted PORT", "begun ID" and "ended ID"
/// (its handler), written when the server has ended.</summary>
internal sealed class Ledger
{
    private readonly ConcurrentQueue<string> _lines = new();

    /// <summary>For <see cref="Server.OnConnState"/>.</summary>
    public void Note(NetConnection connection, ConnState state)
    {
        if (state == ConnState.New)
            _lines.Enqueue($"accepted {((IPEndPoint)connection.RemoteEndPoint).Port}");
    }

    /// <summary>Notes the requests that a handler is given, by their X-Id.</summary>
    public IHandler Around(IHandler handler) => new HandlerFunc(async (response, request) =>
    {
        string? id = request.Header["X-Id"];
        _lines.Enqueue($"begun {id}");
        await handler.ServeHttpAsync(response, request);
        _lines.Enqueue($"ended {id}");
    });

    public void Save(string path) => File.WriteAllLines(path, _lines);
}
