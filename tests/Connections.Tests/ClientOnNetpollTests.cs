using Microsoft.AspNetCore.Connections;

namespace NetGo.Connections.Tests;

/// <summary>The client over NetGo's transport.</summary>
public sealed class ClientOnNetpollTests : ClientContract
{
    protected override IConnectionFactory CreateFactory() => new NetpollConnectionFactory();
}
