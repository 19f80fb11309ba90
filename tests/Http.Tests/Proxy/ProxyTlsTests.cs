using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;

namespace NetGo.Http.Tests.Proxy;

/// <summary>A proxy with TLS on both sides.</summary>
public sealed class ProxyTlsTests : IDisposable
{
    private readonly X509Certificate2 _certificate = TlsTests.NewCertificate("one.test");

    public void Dispose() => _certificate.Dispose();

    private static SocketsHttpHandler NewTransport()
    {
        SocketsHttpHandler transport = ReverseProxy.NewTransport();
        transport.SslOptions.RemoteCertificateValidationCallback = static (_, given, _, _) => given is not null;
        return transport;
    }

    private static Uri UrlOf(TestServer backend) => new($"https://{backend.EndPoint}/");

    [Fact]
    public async Task The_backend_learns_that_the_client_came_by_TLS()
    {
        await using var backend = new TestServer(
            static (response, request) => response.WriteAsync($"{request.Header["X-Forwarded-Proto"]} {request.Scheme}"),
            tls: new TlsOptions { Certificate = _certificate });
        using SocketsHttpHandler transport = NewTransport();
        await using var proxy = new ProxyServer(UrlOf(backend), p => p.Transport = transport, tls: new TlsOptions { Certificate = _certificate });
        using var client = new HttpMessageInvoker(NewTransport());
        using var request = new HttpRequestMessage(HttpMethod.Get, UrlOf(proxy.Front));
        using HttpResponseMessage response = await client.SendAsync(request, default).Within();
        Assert.Equal("https https", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_backend_whose_certificate_is_not_trusted_is_a_bad_gateway()
    {
        await using var backend = new TestServer(Handlers.Ok, tls: new TlsOptions { Certificate = _certificate });
        await using var proxy = new ProxyServer(UrlOf(backend));
        Assert.Equal(502, proxy.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
        Assert.Equal(
            502, proxy.Exchange("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n").StatusCode);
    }

    [Fact]
    public async Task A_WebSocket_goes_through()
    {
        await using var backend = new TestServer(
            static async (response, request) =>
            {
                if (await response.AcceptWebSocketAsync(request) is not { } accepted)
                    return;
                using WebSocket socket = accepted;
                byte[] buffer = new byte[100];
                ValueWebSocketReceiveResult received = await socket.ReceiveAsync(buffer.AsMemory(), default);
                await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, default);
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", default);
            },
            tls: new TlsOptions { Certificate = _certificate });
        using SocketsHttpHandler transport = NewTransport();
        await using var proxy = new ProxyServer(UrlOf(backend), p => p.Transport = transport, tls: new TlsOptions { Certificate = _certificate });
        using var client = new ClientWebSocket();
        client.Options.Proxy = null;
        client.Options.RemoteCertificateValidationCallback = static (_, given, _, _) => given is not null;
        await client.ConnectAsync(new Uri($"wss://{proxy.Front.EndPoint}/ws"), default).Within();
        await client.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, default).Within();
        byte[] got = new byte[100];
        Assert.Equal(5, (await client.ReceiveAsync(got, default).Within()).Count);
        Assert.Equal(WebSocketMessageType.Close, (await client.ReceiveAsync(got, default).Within()).MessageType);
        await client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "bye", default).Within();
    }
}
