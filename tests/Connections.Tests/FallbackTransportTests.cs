using Microsoft.AspNetCore.Connections;

namespace NetGo.Connections.Tests;

/// <summary>The contract on the transport for where no poller works.</summary>
public sealed class FallbackTransportTests : TransportContract
{
    protected override IConnectionListenerFactory CreateFactory() => new NetpollTransportFactory(new NetpollTransportOptions { Fallback = FallbackUse.Always });
}
