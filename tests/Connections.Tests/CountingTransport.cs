using System.Net;
using Microsoft.AspNetCore.Connections;

namespace NetGo.Connections.Tests;

/// <summary>A transport that counts what becomes of another's connections, and fails when it is told to.</summary>
internal sealed class CountingTransport(IConnectionListenerFactory inner) : IConnectionListenerFactory
{
    private int _acceptFailures;

    public int Accepted;

    public int Disposed;

    public int Unbound;

    /// <summary>So many accepts fail.</summary>
    public void FailAccepts(int count) => Volatile.Write(ref _acceptFailures, count);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new Listener(this, await inner.BindAsync(endpoint, cancellationToken));

    private sealed class Listener(CountingTransport transport, IConnectionListener inner) : IConnectionListener
    {
        public EndPoint EndPoint => inner.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            ConnectionContext? connection = await inner.AcceptAsync(cancellationToken);
            if (connection is null)
                return null;
            if (Interlocked.Decrement(ref transport._acceptFailures) >= 0)
            {
                await connection.DisposeAsync();
                throw new IOException("An accept that fails.");
            }
            Interlocked.Increment(ref transport.Accepted);
            return new CountedConnection(connection, () => Interlocked.Increment(ref transport.Disposed));
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref transport.Unbound);
            return inner.UnbindAsync(cancellationToken);
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
