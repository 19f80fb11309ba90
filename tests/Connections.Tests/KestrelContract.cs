using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace NetGo.Connections.Tests;

/// <summary>What an application on Kestrel relies on.</summary>
public abstract partial class KestrelContract
{
    protected abstract void Use(IWebHostBuilder builder);

    private static readonly X509Certificate2 s_certificate = SelfSigned();

    private static bool IsOurs(X509Certificate? certificate) => certificate?.GetCertHashString() == s_certificate.GetCertHashString();

    private static X509Certificate2 SelfSigned()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }

    protected async Task<WebApplication> StartAsync(
        Action<KestrelServerOptions> kestrel, Action<WebApplication> map, Action<WebApplicationBuilder>? configure = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel);
        Use(builder.WebHost);
        configure?.Invoke(builder);
        WebApplication app = builder.Build();
        map(app);
        await app.StartAsync();
        return app;
    }

    protected Task<WebApplication> StartAsync(Action<WebApplication> map) => StartAsync(kestrel => kestrel.Listen(IPAddress.Loopback, 0), map);

    protected static Uri AddressOf(WebApplication app, int index = 0) =>
        new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ElementAt(index));

    protected static HttpClient Client(Version? version = null) =>
        new(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = static (_, certificate, _, _) => IsOurs(certificate) } })
        {
            DefaultRequestVersion = version ?? HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = Bounded.Limit,
        };

    public static TheoryData<string, int, bool> Protocols => new()
    {
        { "1.1", (int)HttpProtocols.Http1, false }, { "1.1", (int)HttpProtocols.Http1AndHttp2, true },
        { "2.0", (int)HttpProtocols.Http2, false }, { "2.0", (int)HttpProtocols.Http1AndHttp2, true },
    };

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Every_protocol_takes_and_gives_small_and_large_content(string version, int protocols, bool tls)
    {
        await using WebApplication app = await StartAsync(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = (HttpProtocols)protocols;
                if (tls)
                    listen.UseHttps(s_certificate);
            }),
            app =>
            {
                app.MapGet("/hello/{name}", (string name, HttpContext context) => $"Hello, {name}, by {context.Request.Protocol}");
                app.MapPost("/echo", async (HttpContext context) =>
                {
                    var content = new MemoryStream(); // all of it: the client does not read before it has sent
                    await context.Request.BodyReader.CopyToAsync(content);
                    await context.Response.BodyWriter.WriteAsync(content.ToArray());
                });
            });
        using HttpClient client = Client(Version.Parse(version));
        client.BaseAddress = AddressOf(app);
        for (int i = 0; i < 3; i++)
            Assert.Equal($"Hello, {i}, by HTTP/{(version == "2.0" ? "2" : version)}", await client.GetStringAsync($"/hello/{i}"));
        byte[] content = Bytes.Random(5_000_000);
        using HttpResponseMessage echo = await client.PostAsync("/echo", new ByteArrayContent(content));
        Assert.True((await echo.Content.ReadAsByteArrayAsync()).AsSpan().SequenceEqual(content));
        string[] answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => client.GetStringAsync($"/hello/{i}")));
        Assert.Equal(100, answers.Distinct().Count());
    }

    [Fact]
    public async Task An_answer_is_streamed_as_it_is_flushed()
    {
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using WebApplication app = await StartAsync(app => app.MapGet("/", async (HttpContext context) =>
        {
            await context.Response.WriteAsync("first ");
            await context.Response.Body.FlushAsync();
            await goOn.Task;
            await context.Response.WriteAsync("second");
        }));
        using HttpClient client = Client();
        await using Stream stream = await client.GetStreamAsync(AddressOf(app));
        byte[] buffer = new byte[100];
        int n = await stream.ReadAsync(buffer).AsTask().Within();
        Assert.Equal("first ", Encoding.ASCII.GetString(buffer, 0, n));
        goOn.SetResult();
        n = await stream.ReadAsync(buffer).AsTask().Within();
        Assert.Equal("second", Encoding.ASCII.GetString(buffer, 0, n));
    }

    [Fact]
    public async Task A_request_is_aborted_when_its_client_goes_away()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using WebApplication app = await StartAsync(app => app.MapGet("/", async (HttpContext context) =>
        {
            using CancellationTokenRegistration registration = context.RequestAborted.Register(aborted.SetResult);
            entered.SetResult();
            await aborted.Task;
        }));
        using HttpClient client = Client();
        using var cancel = new CancellationTokenSource();
        Task<string> answer = client.GetStringAsync(AddressOf(app), cancel.Token);
        await entered.Task.Within();
        cancel.Cancel();
        await aborted.Task.Within();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
    }

    [Fact]
    public async Task An_application_aborts_a_request()
    {
        await using WebApplication app = await StartAsync(app => app.MapGet("/", (HttpContext context) => context.Abort()));
        using HttpClient client = Client();
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync(AddressOf(app)));
    }

    [Fact]
    public async Task WebSockets_talk_both_ways()
    {
        await using WebApplication app = await StartAsync(app =>
        {
            app.UseWebSockets();
            app.Map("/ws", async (HttpContext context) =>
            {
                using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
                byte[] buffer = new byte[70_000];
                while (await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None) is { MessageType: not WebSocketMessageType.Close } message)
                    await socket.SendAsync(buffer.AsMemory(0, message.Count), message.MessageType, message.EndOfMessage, CancellationToken.None);
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
            });
        });
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new UriBuilder(AddressOf(app)) { Scheme = "ws", Path = "/ws" }.Uri, CancellationToken.None).Within();
        byte[] buffer = new byte[70_000];
        foreach (int size in new[] { 1, 1_000, 60_000 })
        {
            byte[] message = Bytes.Random(size);
            await client.SendAsync(message, WebSocketMessageType.Binary, true, CancellationToken.None).Within();
            int got = 0;
            while (got < size)
                got += (await client.ReceiveAsync(buffer.AsMemory(got), CancellationToken.None).AsTask().Within()).Count;
            Assert.Equal(message, buffer[..got]);
        }
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).Within();
    }

    [Fact]
    public async Task Content_beyond_the_limit_is_refused()
    {
        await using WebApplication app = await StartAsync(
            kestrel =>
            {
                kestrel.Limits.MaxRequestBodySize = 1000;
                kestrel.Listen(IPAddress.Loopback, 0);
            },
            app => app.MapPost("/", async (HttpContext context) => await context.Request.Body.CopyToAsync(Stream.Null)));
        using HttpClient client = Client();
        using HttpResponseMessage tooLarge = await client.PostAsync(AddressOf(app), new ByteArrayContent(new byte[1001]));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, tooLarge.StatusCode);
    }

    private static async Task<Socket> ConnectAsync(Uri address)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, address.Port);
        return socket;
    }

    [Fact]
    public async Task Pipelined_requests_are_answered_in_order_and_the_last_one_closes()
    {
        await using WebApplication app = await StartAsync(app => app.MapGet("/{i}", (int i) => $"<{i}>"));
        using Socket client = await ConnectAsync(AddressOf(app));
        var requests = new StringBuilder();
        for (int i = 0; i < 100; i++)
            requests.Append(null, $"GET /{i} HTTP/1.1\r\nHost: h\r\n{(i == 99 ? "Connection: close\r\n" : "")}\r\n");
        await TransportHost.SendAsync(client, Bytes.Of(requests.ToString()));
        string answers = Encoding.ASCII.GetString(await TransportHost.ReceiveAsync(client));
        int at = 0;
        for (int i = 0; i < 100; i++)
            Assert.True((at = answers.IndexOf($"<{i}>", at, StringComparison.Ordinal)) >= 0);
    }

    [Fact]
    public async Task Several_end_points_are_served()
    {
        string path = Path.Combine(Path.GetTempPath(), $"netgo-{Guid.NewGuid():N}.sock");
        await using WebApplication app = await StartAsync(
            kestrel =>
            {
                kestrel.Listen(IPAddress.Loopback, 0);
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(s_certificate));
                kestrel.ListenUnixSocket(path);
            },
            app => app.MapGet("/", (HttpContext context) => context.Request.Scheme));
        using HttpClient client = Client();
        Assert.Equal("http", await client.GetStringAsync(AddressOf(app)));
        Assert.Equal("https", await client.GetStringAsync(AddressOf(app, 1)));
        using var unix = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        Assert.Equal("http", await unix.GetStringAsync(new Uri("http://unix/")));
    }

    [Fact]
    public async Task A_shutdown_lets_a_request_end()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using WebApplication app = await StartAsync(app => app.MapGet("/", async () =>
        {
            entered.SetResult();
            await Task.Delay(300);
            return "ended";
        }));
        Uri address = AddressOf(app);
        using HttpClient client = Client();
        Task<string> answer = client.GetStringAsync(address);
        await entered.Task.Within();
        await app.StopAsync().Within();
        Assert.Equal("ended", await answer);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync(address));
    }

    [Fact]
    public async Task Client_certificates_and_server_names_reach_the_application()
    {
        string? name = null;
        await using WebApplication app = await StartAsync(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
            {
                https.ServerCertificateSelector = (_, host) =>
                {
                    name = host;
                    return s_certificate;
                };
                https.ClientCertificateMode = Microsoft.AspNetCore.Server.Kestrel.Https.ClientCertificateMode.RequireCertificate;
                https.AllowAnyClientCertificate();
            })),
            app => app.MapGet("/", (HttpContext context) => context.Connection.ClientCertificate?.Subject));
        using var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = static (_, certificate, _, _) => IsOurs(certificate),
                ClientCertificates = [s_certificate],
            },
        };
        using var client = new HttpClient(handler) { DefaultRequestHeaders = { Host = "example.test" } };
        Assert.Equal("CN=localhost", await client.GetStringAsync(AddressOf(app)));
        Assert.Equal("example.test", name);
    }
}
