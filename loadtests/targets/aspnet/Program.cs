// The load target on ASP.NET Core: a minimal API on Kestrel, as `dotnet new web` makes one (WebApplication.CreateBuilder),
// except that it logs nothing.

using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AspNetTarget;
using Microsoft.AspNetCore.Server.Kestrel.Core;

CommandLine commandLine;
try
{
    commandLine = CommandLine.Parse(args);
}
catch (FormatException e)
{
    Console.Error.WriteLine($"aspnet: {e.Message}");
    Console.Error.WriteLine(CommandLine.Usage);
    return 2;
}

WebApplicationBuilder builder = WebApplication.CreateBuilder(
    new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
builder.Logging.ClearProviders();
if (commandLine.Transport == "netpoll")
    builder.WebHost.UseNetpoll();
else if (commandLine.Transport == "sockets-inline") // with DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS=1
    builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, commandLine.Port, endPoint =>
{
    endPoint.Protocols = commandLine.Protocol == "h2c" ? HttpProtocols.Http2 : HttpProtocols.Http1;
    if (commandLine.Protocol == "https")
        endPoint.UseHttps(SelfSigned());
}));
builder.Services.ConfigureHttpJsonOptions(
    json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, MessageJson.Default));

WebApplication app = builder.Build();

app.MapGet("/plaintext", () => TypedResults.Text("Hello, World!"));

app.MapGet("/json", () => new Message("Hello, World!"));

app.MapGet("/users/{id}", (string id) => TypedResults.Text(id));

app.MapPost("/echo", async (HttpContext context) =>
{
    context.Response.ContentType = "application/octet-stream";
    context.Response.ContentLength = context.Request.ContentLength;
    await context.Request.BodyReader.CopyToAsync(context.Response.BodyWriter, context.RequestAborted);
});

app.MapGet("/sleep", async (ushort ms) =>
{
    await Task.Delay(ms);
    return TypedResults.Text("ok");
});

app.MapGet("/block", (ushort ms) =>
{
    Thread.Sleep(ms);
    return TypedResults.Text("ok");
});

// A pipeline of its own, so that no other route pays for the middleware.
app.MapGet("/ws", ((IEndpointRouteBuilder)app).CreateApplicationBuilder().UseWebSockets().Use(Echo).Build());

app.Run();
return 0;

static RequestDelegate Echo(RequestDelegate next) => async context =>
{
    if (!context.WebSockets.IsWebSocketRequest)
    {
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        return;
    }
    using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
    byte[] buffer = new byte[4096];
    try
    {
        while (await socket.ReceiveAsync(buffer.AsMemory(), default) is { MessageType: not WebSocketMessageType.Close } piece)
            await socket.SendAsync(buffer.AsMemory(0, piece.Count), piece.MessageType, piece.EndOfMessage, default);
        await socket.CloseOutputAsync(socket.CloseStatus ?? WebSocketCloseStatus.Empty, null, default);
    }
    catch (WebSocketException)
    {
        // The client has gone without a word.
    }
};

static X509Certificate2 SelfSigned()
{
    using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
    DateTimeOffset now = DateTimeOffset.UtcNow;
    return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
}
