using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace NetGo.Connections.Tests;

/// <summary>The server over ASP.NET Core's own transport.</summary>
public sealed class ServerOnSocketsTests : ServerContract
{
    protected override IConnectionListenerFactory CreateFactory() =>
        new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
}
