using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace NetGo.Http.Tests;

/// <summary>HTTP over TLS, with SslStream and HttpClient on the other side.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly X509Certificate2 _certificate = NewCertificate("one.test");
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("netgo-tls");

    public void Dispose()
    {
        _certificate.Dispose();
        _directory.Delete(recursive: true);
    }

    internal static X509Certificate2 NewCertificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    private TlsOptions Options => new() { Certificate = _certificate };

    private static async Task<SslStream> ConnectAsync(
        TestServer server, string name = "one.test", X509Certificate2? own = null, SslProtocols protocols = SslProtocols.None)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server.EndPoint);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = name,
            EnabledSslProtocols = protocols,
            ClientCertificates = own is null ? null : [own],
            RemoteCertificateValidationCallback = static (_, given, _, _) => given is not null,
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
        }).Within();
        return stream;
    }

    private static async Task<string> ExchangeAsync(SslStream stream, string request, int length)
    {
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
        return await ReadAsync(stream, length);
    }

    private static async Task<string> ReadAsync(SslStream stream, int length)
    {
        byte[] buffer = new byte[length];
        int n = await stream.ReadAtLeastAsync(buffer, length, throwOnEndOfStream: false).AsTask().Within();
        return Encoding.Latin1.GetString(buffer, 0, n);
    }

    private static HttpClient NewClient(X509Certificate2? own = null)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, given, _, _) => given is not null;
        if (own is not null)
            handler.SslOptions.ClientCertificates = [own];
        return new HttpClient(handler) { Timeout = Bounded.Limit };
    }

    [Fact]
    public async Task A_request_knows_what_was_agreed_on()
    {
        await using var server = new TestServer(
            (response, request) => response.WriteAsync(
                $"{request.Scheme} {request.Tls!.Protocol} {request.Tls.ServerName} {request.Tls.ApplicationProtocol} {request.Tls.ClientCertificate is null}"),
            tls: Options);
        await using SslStream stream = await ConnectAsync(server, protocols: SslProtocols.Tls13);
        Assert.Equal(SslApplicationProtocol.Http11, stream.NegotiatedApplicationProtocol);
        for (int i = 0; i < 3; i++)
        {
            string answer = await ExchangeAsync(stream, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 10);
            Assert.StartsWith("HTTP/1.1 2", answer, StringComparison.Ordinal);
            string rest = await ReadUntilAsync(stream, "True");
            Assert.EndsWith("https Tls13 one.test http/1.1 True", rest, StringComparison.Ordinal);
        }
    }

    private static async Task<string> ReadUntilAsync(SslStream stream, string end)
    {
        var all = new StringBuilder();
        byte[] buffer = new byte[1000];
        while (!all.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            int n = await stream.ReadAsync(buffer).AsTask().Within();
            if (n == 0)
                break;
            all.Append(Encoding.Latin1.GetString(buffer, 0, n));
        }
        return all.ToString();
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Long_contents_go_both_ways_on_one_connection(SslProtocols protocols)
    {
        await using var server = new TestServer(Handlers.Stream, tls: new TlsOptions { Certificate = _certificate, EnabledProtocols = protocols });
        using HttpClient client = NewClient();
        byte[] content = new byte[3_000_000];
        new Random(1).NextBytes(content);
        for (int i = 0; i < 3; i++)
        {
            using HttpResponseMessage response = await client.PostAsync($"https://{server.EndPoint}/", new ByteArrayContent(content));
            Assert.Equal(content, await response.Content.ReadAsByteArrayAsync());
        }
        Assert.Equal(1, server.Server.ConnectionCount);
    }

    [Fact]
    public async Task Many_connections_at_once_are_all_served()
    {
        await using var server = new TestServer(Handlers.Echo, tls: Options);
        await Task.WhenAll(Enumerable.Range(0, 30).Select(async i =>
        {
            using HttpClient client = NewClient();
            for (int j = 0; j < 5; j++)
            {
                string text = new((char)('a' + i % 26), 1000 * j);
                using HttpResponseMessage response = await client.PostAsync($"https://{server.EndPoint}/", new StringContent(text));
                Assert.Equal(text, await response.Content.ReadAsStringAsync());
            }
        })).WaitAsync(Bounded.StressLimit);
    }

    [Fact]
    public async Task A_request_in_pieces_and_several_in_one_record_are_read()
    {
        await using var server = new TestServer(Handlers.Path, tls: Options);
        await using SslStream stream = await ConnectAsync(server);
        foreach (char c in "GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
            await stream.WriteAsync(new[] { (byte)c });
        Assert.EndsWith("/a", await ReadUntilAsync(stream, "/a"), StringComparison.Ordinal);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 200).Select(i => $"GET /{i:d3} HTTP/1.1\r\nHost: h\r\n\r\n"))));
        string all = await ReadUntilAsync(stream, "/199");
        Assert.Equal(200, all.Split("HTTP/1.1 200 OK").Length - 1);
    }

    [Fact]
    public async Task The_end_of_a_connection_is_told_by_close_notify()
    {
        await using var server = new TestServer(Handlers.Ok, tls: Options);
        await using SslStream stream = await ConnectAsync(server);
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"u8.ToArray());
        Assert.EndsWith("ok", await ReadUntilAsync(stream, "never"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_is_chosen_by_the_name_that_is_asked_for()
    {
        using X509Certificate2 other = NewCertificate("two.test");
        await using var server = new TestServer(
            Handlers.Ok, tls: new TlsOptions { Certificate = _certificate, CertificateSelector = name => name == "two.test" ? other : null });
        await using (SslStream stream = await ConnectAsync(server, "two.test"))
            Assert.Equal("CN=two.test", stream.RemoteCertificate!.Subject);
        await using (SslStream stream = await ConnectAsync(server, "three.test"))
            Assert.Equal("CN=one.test", stream.RemoteCertificate!.Subject);
    }

    [Fact]
    public async Task Without_a_certificate_for_a_name_the_handshake_fails_and_others_go_on()
    {
        await using var server = new TestServer(
            Handlers.Ok, tls: new TlsOptions { CertificateSelector = name => name == "one.test" ? _certificate : throw new InvalidOperationException("No.") });
        await Assert.ThrowsAnyAsync<Exception>(() => ConnectAsync(server, "two.test"));
        await using SslStream stream = await ConnectAsync(server);
        Assert.StartsWith("HTTP/1.1 200", await ExchangeAsync(stream, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 12), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ClientCertificateMode.Require, true, true)]
    [InlineData(ClientCertificateMode.Require, false, false)]
    [InlineData(ClientCertificateMode.Request, true, true)]
    [InlineData(ClientCertificateMode.Request, false, true)]
    public async Task Clients_may_have_to_show_a_certificate(ClientCertificateMode mode, bool shows, bool isServed)
    {
        using X509Certificate2 own = NewCertificate("client.test");
        await using var server = new TestServer(
            (response, request) => response.WriteAsync(request.Tls!.ClientCertificate?.Subject ?? "none"),
            tls: new TlsOptions
            {
                Certificate = _certificate,
                ClientCertificateMode = mode,
                ClientCertificateValidation = (given, _, _) => given.Thumbprint == own.Thumbprint,
            });
        using HttpClient client = NewClient(shows ? own : null);
        if (isServed)
            Assert.Equal(shows ? "CN=client.test" : "none", await client.GetStringAsync($"https://{server.EndPoint}/"));
        else
            await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync($"https://{server.EndPoint}/"));
    }

    [Fact]
    public async Task A_certificate_that_is_not_accepted_ends_the_handshake()
    {
        using X509Certificate2 own = NewCertificate("client.test");
        await using var server = new TestServer(
            Handlers.Ok, tls: new TlsOptions { Certificate = _certificate, ClientCertificateMode = ClientCertificateMode.Request });
        using HttpClient client = NewClient(own); // self-signed: the system does not trust it
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync($"https://{server.EndPoint}/"));
    }

    private (string Certificate, string Key) WritePem(X509Certificate2 certificate)
    {
        string certificatePath = Path.Combine(_directory.FullName, "cert.pem");
        string keyPath = Path.Combine(_directory.FullName, "key.pem");
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        byte[] pkcs8 = Export(key);
        File.WriteAllText(certificatePath, certificate.ExportCertificatePem());
        File.WriteAllText(keyPath, PemEncoding.WriteString("PRIVATE KEY", pkcs8));
        return (certificatePath, keyPath);
    }

    // A key that was loaded may be exported encrypted only.
    private static byte[] Export(ECDsa key)
    {
        var parameters = new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 1);
        using var copy = ECDsa.Create();
        copy.ImportEncryptedPkcs8PrivateKey("x", key.ExportEncryptedPkcs8PrivateKey("x", parameters), out _);
        return copy.ExportPkcs8PrivateKey();
    }

    [Fact]
    public void Certificate_files_are_read_again_when_they_have_changed()
    {
        (string certificate, string key) = WritePem(_certificate);
        var files = new CertificateFiles(certificate, key);
        X509Certificate2 first = files.Current;
        Assert.Equal("CN=one.test", first.Subject);
        files.Look();
        Assert.Same(first, files.Current);

        File.WriteAllText(certificate, "half of it");
        File.SetLastWriteTimeUtc(certificate, DateTime.UtcNow.AddSeconds(5));
        files.Look();
        Assert.Same(first, files.Current);

        using X509Certificate2 other = NewCertificate("two.test");
        WritePem(other);
        File.SetLastWriteTimeUtc(certificate, DateTime.UtcNow.AddSeconds(10));
        files.Look();
        Assert.Equal("CN=two.test", files.Current.Subject);
        Assert.Throws<FileNotFoundException>(() => new CertificateFiles(certificate + "x", key));
    }

    [Fact]
    public async Task A_server_serves_with_certificate_files()
    {
        (string certificate, string key) = WritePem(_certificate);
        await using var server = new TestServer(Handlers.Ok, tls: TlsOptions.FromPemFiles(certificate, key));
        await using SslStream stream = await ConnectAsync(server);
        Assert.Equal("CN=one.test", stream.RemoteCertificate!.Subject);
    }

    [Fact]
    public async Task Who_does_not_shake_hands_is_closed_after_a_while()
    {
        await using var server = new TestServer(Handlers.Ok, tls: new TlsOptions { Certificate = _certificate, HandshakeTimeout = TimeSpan.FromMilliseconds(50) });
        using RawClient client = server.Connect();
        client.AssertClosed();
        Bounded.Until(() => server.Server.ConnectionCount == 0, "the server has forgotten it");
    }

    [Fact]
    public async Task Http_without_tls_is_closed()
    {
        await using var server = new TestServer(Handlers.Ok, tls: Options);
        using RawClient client = server.Connect();
        client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.DoesNotContain("HTTP", Encoding.Latin1.GetString(client.ReadToEnd()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Time_outs_hold_with_tls_too()
    {
        await using var server = new TestServer(
            Handlers.Echo,
            s =>
            {
                s.ReadHeaderTimeout = TimeSpan.FromSeconds(1);
                s.ReadTimeout = TimeSpan.FromSeconds(1);
                s.IdleTimeout = TimeSpan.FromSeconds(2);
            },
            tls: Options);
        await using (SslStream slowHead = await ConnectAsync(server))
            Assert.Contains("408", await ExchangeAsync(slowHead, "GET / HT", 12), StringComparison.Ordinal);
        await using (SslStream slowContent = await ConnectAsync(server))
            Assert.Contains("408", await ExchangeAsync(slowContent, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab", 12), StringComparison.Ordinal);
        await using (SslStream idle = await ConnectAsync(server))
        {
            Assert.Contains("200", await ExchangeAsync(idle, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 12), StringComparison.Ordinal);
            await ReadUntilAsync(idle, "never"); // the end comes
        }
    }

    [Fact]
    public async Task A_client_that_does_not_read_is_closed_after_the_write_time_out()
    {
        await using var server = new TestServer(
            (response, _) => response.WriteAsync(new byte[30_000_000]), s => s.WriteTimeout = TimeSpan.FromMilliseconds(100), tls: Options);
        await using SslStream stream = await ConnectAsync(server);
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n"u8.ToArray());
        Bounded.Until(() => server.Server.ConnectionCount == 0, "the server has closed it");
    }

    [Fact]
    public async Task A_connection_with_tls_can_be_hijacked()
    {
        await using var server = new TestServer(
            async (response, _) =>
            {
                await using HijackedStream stream = await response.UpgradeAsync("echo");
                byte[] buffer = new byte[100];
                int n;
                while ((n = await stream.ReadAsync(buffer)) > 0)
                    await stream.WriteAsync(buffer.AsMemory(0, n));
            },
            tls: Options);
        await using SslStream client = await ConnectAsync(server);
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nearly"u8.ToArray());
        Assert.EndsWith("\r\n\r\nearly", await ReadUntilAsync(client, "early"), StringComparison.Ordinal);
        await client.WriteAsync("late"u8.ToArray());
        Assert.Equal("late", await ReadAsync(client, 4));
    }

    [Fact]
    public async Task A_request_is_aborted_when_the_client_goes_away()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(
            async (_, request) =>
            {
                Context context = request.Context;
                entered.SetResult();
                await context.WaitDoneAsync();
                ended.SetResult();
            },
            tls: Options);
        await using (SslStream stream = await ConnectAsync(server))
        {
            await stream.WriteAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n"u8.ToArray());
            await entered.Task.Within();
        }
        await ended.Task.Within();
    }

    [Fact]
    public async Task Shutdown_closes_idle_connections_and_lets_requests_end()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goes = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(
            async (response, request) =>
            {
                if (request.Path == "/slow")
                {
                    entered.SetResult();
                    await goes.Task;
                }
                await response.WriteAsync("done");
            },
            tls: Options);
        await using SslStream idle = await ConnectAsync(server);
        await ExchangeAsync(idle, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 12);
        await using SslStream busy = await ConnectAsync(server);
        await busy.WriteAsync("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n"u8.ToArray());
        await entered.Task.Within();
        Task shutdown = server.Server.ShutdownAsync();
        await ReadUntilAsync(idle, "never");
        goes.SetResult();
        Assert.EndsWith("done", await ReadUntilAsync(busy, "never"), StringComparison.Ordinal);
        await shutdown.Within();
    }

    [Fact]
    public void Options_without_a_certificate_are_refused()
    {
        var server = new Server();
        using X509Certificate2 withoutKey = X509CertificateLoader.LoadCertificate(_certificate.RawData);
        foreach (TlsOptions options in (TlsOptions[])
            [new(), new() { Certificate = withoutKey }, new() { Certificate = _certificate, HandshakeTimeout = TimeSpan.Zero }])
        {
            Assert.Throws<InvalidOperationException>(() => { _ = server.ListenAndServeTlsAsync(options); });
        }
    }
}
