using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using NetGo.Netpoll;

namespace NetGo.Connections;

internal sealed class NetpollConnectionListener(NetListener listener, NetpollTransportOptions options, ILogger logger) : IConnectionListener
{
    public EndPoint EndPoint => listener.LocalEndPoint;

    internal GoScheduler Scheduler => listener.Scheduler;

    /// <summary>Null when the listener has been unbound.</summary>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return new NetpollConnection(await listener.AcceptAsync(cancellationToken).ConfigureAwait(false), options, logger);
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        listener.Close();
        return default;
    }

    public ValueTask DisposeAsync()
    {
        listener.Close();
        return default;
    }
}
