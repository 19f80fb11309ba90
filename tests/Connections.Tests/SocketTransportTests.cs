using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace NetGo.Connections.Tests;

/// <summary>The contract on ASP.NET Core's own transport.</summary>
public class SocketTransportTests : TransportContract
{
    protected override IConnectionListenerFactory CreateFactory() =>
        new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
}
