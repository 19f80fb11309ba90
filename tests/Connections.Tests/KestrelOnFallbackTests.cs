using Microsoft.AspNetCore.Hosting;
using NetGo.Connections;

namespace NetGo.Connections.Tests;

/// <summary>The contract on the transport for where no poller works.</summary>
public sealed class KestrelOnFallbackTests : KestrelContract
{
    protected override void Use(IWebHostBuilder builder) => builder.UseNetpoll(static options => options.Fallback = FallbackUse.Always);
}
