using NetGo.Netpoll;

namespace NetGo.Http;

// The connection for a protocol to switch to: one request's, never to be used again. HttpClient closes its stream at the end of what comes, which
// is not the end of what goes; so the stream does not own the connection, and this does. It may come about when nobody wants it any more.
internal sealed class OwnConnection : IDisposable
{
    private readonly Lock _lock = new();
    private readonly HttpMessageInvoker _invoker;
    private NetConnection? _connection;
    private bool _closed;

    public OwnConnection() => _invoker = new HttpMessageInvoker(ProxyTransport.Make(null, this));

    public HttpMessageInvoker Invoker => _invoker;

    /// <summary>Null before it has come about.</summary>
    public NetConnection? Connection => Volatile.Read(ref _connection);

    public NetStream Take(NetConnection connection)
    {
        NetConnection? useless = connection;
        lock (_lock)
        {
            if (!_closed)
                (useless, _connection) = (_connection, connection);
        }
        useless?.Close();
        return connection.AsStream(ownsConnection: false);
    }

    public void Dispose()
    {
        lock (_lock)
            _closed = true;
        _invoker.Dispose();
        _connection?.Close();
    }
}
