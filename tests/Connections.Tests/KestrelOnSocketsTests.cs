using Microsoft.AspNetCore.Hosting;

namespace NetGo.Connections.Tests;

/// <summary>The contract on ASP.NET Core's own transport.</summary>
public sealed class KestrelOnSocketsTests : KestrelContract
{
    protected override void Use(IWebHostBuilder builder) => builder.UseSockets();
}
