using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using NetGo.Connections;

namespace OrleansCluster;

/// <summary>NetGo's transport, which counts the connections that come from it: the example is to show that these are Orleans' connections. Who has
/// nothing to show uses the two factories as they are.</summary>
internal sealed class CountedTransport(ILoggerFactory loggerFactory) : IConnectionListenerFactory, IConnectionFactory
{
    private readonly NetpollTransportFactory _listeners = new(loggerFactory: loggerFactory);
    private readonly NetpollConnectionFactory _connections = new(loggerFactory: loggerFactory);
    private int _accepted;
    private int _dialled;

    public int Accepted => Volatile.Read(ref _accepted);

    public int Dialled => Volatile.Read(ref _dialled);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new Listener(await _listeners.BindAsync(endpoint, cancellationToken), this);

    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        ConnectionContext connection = await _connections.ConnectAsync(endpoint, cancellationToken);
        Interlocked.Increment(ref _dialled);
        return connection;
    }

    private sealed class Listener(IConnectionListener listener, CountedTransport transport) : IConnectionListener
    {
        public EndPoint EndPoint => listener.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            ConnectionContext? connection = await listener.AcceptAsync(cancellationToken);
            if (connection is not null)
                Interlocked.Increment(ref transport._accepted);
            return connection;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => listener.UnbindAsync(cancellationToken);

        public ValueTask DisposeAsync() => listener.DisposeAsync();
    }
}
