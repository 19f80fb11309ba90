using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;

namespace NetGo.Connections.Tests;

/// <summary>The client over ASP.NET Core's own transport.</summary>
public sealed class ClientOnSocketsTests : ClientContract
{
    protected override IConnectionFactory CreateFactory() => new SocketConnectionFactory();

    private sealed class SocketConnectionFactory : IConnectionFactory
    {
        private readonly SocketConnectionContextFactory _contexts = new(new SocketConnectionFactoryOptions(), NullLogger.Instance);

        public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(endpoint, cancellationToken);
            return _contexts.Create(socket);
        }
    }
}
