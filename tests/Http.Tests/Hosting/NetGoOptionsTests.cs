using System.Net.Security;
using System.Net.Sockets;
using System.Reflection;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace NetGo.Http.Tests.Hosting;

/// <summary>The options of a hosted server, and where they come from.</summary>
public sealed class NetGoOptionsTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("netgo-hosting");

    public void Dispose() => _directory.Delete(recursive: true);

    private static NetGoOptions Read(IConfiguration section, Action<NetGoOptions>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddNetGo(section, configure);
        using ServiceProvider provider = services.BuildServiceProvider();
        return provider.GetRequiredService<IOptions<NetGoOptions>>().Value;
    }

    private static OptionsValidationException FailureOf(params string[] lines) =>
        Assert.Throws<OptionsValidationException>(() => Read(TestHost.Configure(lines)));

    [Fact]
    public void They_come_from_configuration()
    {
        NetGoOptions options = Read(
            TestHost.Configure(
                "NetGo:ServerName=configured", "NetGo:MaxRequestLineSize=1000", "NetGo:MaxHeaderBytes=2000", "NetGo:MaxHeaderCount=30",
                "NetGo:MaxRequestBodySize=5000000000", "NetGo:ReadHeaderTimeout=00:00:01", "NetGo:ReadTimeout=00:00:02",
                "NetGo:WriteTimeout=00:00:03", "NetGo:IdleTimeout=-00:00:00.0010000", "NetGo:BufferTimeout=00:00:00.5",
                "NetGo:Endpoints:0:Address=127.0.0.1:8080", "NetGo:Endpoints:1:Address=:8443", "NetGo:Endpoints:1:Certificate=c.pem",
                "NetGo:Endpoints:1:Key=k.pem", "NetGo:Endpoints:1:ClientCertificateMode=Require", "NetGo:Endpoints:1:HandshakeTimeout=00:00:05",
                "Other:Key=1").GetSection("NetGo"),
            static o => o.MaxHeaderCount++);
        Assert.Equal("configured", options.ServerName);
        Assert.Equal((1000, 2000, 31), (options.MaxRequestLineSize, options.MaxHeaderBytes, options.MaxHeaderCount));
        Assert.Equal(5_000_000_000, options.MaxRequestBodySize);
        Assert.Equal(TimeSpan.FromSeconds(1), options.ReadHeaderTimeout);
        Assert.Equal(TimeSpan.FromSeconds(2), options.ReadTimeout);
        Assert.Equal(TimeSpan.FromSeconds(3), options.WriteTimeout);
        Assert.Equal(Timeout.InfiniteTimeSpan, options.IdleTimeout);
        Assert.Equal(TimeSpan.FromSeconds(0.5), options.BufferTimeout);
        Assert.Equal(["127.0.0.1:8080", ":8443"], options.Endpoints.Select(static e => e.Address));
        NetGoEndpoint second = options.Endpoints[1];
        Assert.Equal(("c.pem", "k.pem", ClientCertificateMode.Require), (second.Certificate, second.Key, second.ClientCertificateMode));
        Assert.Equal(TimeSpan.FromSeconds(5), second.HandshakeTimeout);
    }

    [Fact]
    public void Each_has_the_servers_default_and_reaches_the_server()
    {
        int count = 0;
        foreach (PropertyInfo property in typeof(NetGoOptions).GetProperties().Where(static p => p.CanWrite && !s_ofRates.Contains(p.Name)))
        {
            PropertyInfo ofServer = typeof(Server).GetProperty(property.Name)!;
            var options = new NetGoOptions();
            var server = new Server();
            Assert.Equal(ofServer.GetValue(server), property.GetValue(options));
            object other = property.GetValue(options) switch
            {
                int n => n - 1,
                long n => n - 1,
                TimeSpan t => t / 2,
                _ => "other",
            };
            property.SetValue(options, other);
            options.ApplyTo(server);
            Assert.Equal(other, ofServer.GetValue(server));
            count++;
        }
        Assert.True(count >= 10);
    }

    private static readonly string[] s_ofRates =
        ["MinRequestBodyBytesPerSecond", "MinRequestBodyGracePeriod", "MinResponseBytesPerSecond", "MinResponseGracePeriod"];

    [Fact]
    public void Rates_have_the_servers_defaults_and_reach_it()
    {
        var defaults = new Server();
        var server = new Server { MinRequestBodyDataRate = null, MinResponseDataRate = null };
        var options = new NetGoOptions();
        options.ApplyTo(server);
        Assert.Equal($"{defaults.MinRequestBodyDataRate}", $"{server.MinRequestBodyDataRate}");
        Assert.Equal($"{defaults.MinResponseDataRate}", $"{server.MinResponseDataRate}");
        options.MinRequestBodyBytesPerSecond = 7;
        options.MinRequestBodyGracePeriod = TimeSpan.FromSeconds(8);
        options.MinResponseBytesPerSecond = 0;
        options.ApplyTo(server);
        Assert.Equal((7, TimeSpan.FromSeconds(8)), (server.MinRequestBodyDataRate!.BytesPerSecond, server.MinRequestBodyDataRate.GracePeriod));
        Assert.Null(server.MinResponseDataRate);
    }

    [Fact]
    public void None_of_the_servers_limits_and_times_is_missing()
    {
        IEnumerable<string> ofServer = typeof(Server).GetProperties()
            .Where(static p => p.CanWrite && (p.PropertyType == typeof(int) || p.PropertyType == typeof(long) || p.PropertyType == typeof(TimeSpan)))
            .Select(static p => p.Name);
        Assert.Empty(ofServer.Except(typeof(NetGoOptions).GetProperties().Select(static p => p.Name)));
    }

    [Theory]
    [InlineData("MaxHeaderCout=5", "MaxHeaderCout")]
    [InlineData("Endpoints:0:Adress=:80", "Adress")]
    [InlineData("MaxHeaderCount=many", "MaxHeaderCount")]
    [InlineData("ReadTimeout=soon", "ReadTimeout")]
    [InlineData("MaxHeaderCount=0", "MaxHeaderCount")]
    [InlineData("MaxHeaderBytes=1000000", "MaxHeaderBytes")]
    [InlineData("WriteTimeout=00:00:00", "WriteTimeout")]
    [InlineData("MaxConnections=0", "MaxConnections")]
    [InlineData("MinRequestBodyBytesPerSecond=-1", "MinRequestBodyBytesPerSecond")]
    [InlineData("MinResponseGracePeriod=00:00:00", "MinResponseBytesPerSecond")]
    [InlineData("ServerName=a\nb", "ServerName")]
    [InlineData("Endpoints:0:Address=nonsense", "nonsense")]
    [InlineData("Endpoints:0:Address=127.0.0.1:99999", "99999")]
    [InlineData("Endpoints:0:Address=unix:", "unix:")]
    [InlineData("Endpoints:0:Key=k.pem", "Address")]
    public void Bad_ones_are_named(string line, string named)
    {
        OptionsValidationException failure = FailureOf(line);
        Assert.Equal(typeof(NetGoOptions), failure.OptionsType);
        Assert.Contains(named, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Key=k.pem", "Certificate")]
    [InlineData("ClientCertificateMode=Require", "Certificate")]
    [InlineData("ClientCertificateMode=Sometimes", "Sometimes")]
    public void An_endpoint_that_contradicts_itself_is_named(string line, string named) =>
        Assert.Contains(named, FailureOf("Endpoints:0:Address=:80", "Endpoints:0:" + line).Message, StringComparison.Ordinal);

    [Fact]
    public void All_that_is_wrong_is_said_at_once()
    {
        string[] failures = [.. FailureOf("MaxHeaderCount=0", "Endpoints:0:Address=:80", "Endpoints:1:Address=x", "Endpoints:2:Key=k").Failures];
        Assert.Equal(3, failures.Length);
        Assert.Contains("Endpoints[1]", failures[1], StringComparison.Ordinal);
        Assert.Contains("Endpoints[2]", failures[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_one_fails_the_start_of_the_host()
    {
        await using TestHost host = TestHost.Build(static services => services.AddNetGo(TestHost.Configure("MaxHeaderCount=0")));
        await Assert.ThrowsAsync<OptionsValidationException>(host.StartAsync);
    }

    [Fact]
    public async Task They_are_those_of_the_server_that_runs()
    {
        await using TestHost host = TestHost.Build(static services => services
            .AddNetGo(TestHost.Configure("Endpoints:0:Address=127.0.0.1:0", "ServerName=configured", "MaxRequestLineSize=100"))
            .Handle("/", Handlers.Ok));
        await host.StartAsync();
        Assert.Equal("configured", host.Get("/").Get("Server"));
        Assert.Equal(414, host.Get("/" + new string('x', 200)).StatusCode);
    }

    // ---- TLS ----

    private (string Certificate, string Key) WritePem()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=hosted.test", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        string certificatePath = Path.Combine(_directory.FullName, "certificate.pem");
        string keyPath = Path.Combine(_directory.FullName, "key.pem");
        File.WriteAllText(certificatePath, certificate.ExportCertificatePem());
        File.WriteAllText(keyPath, key.ExportPkcs8PrivateKeyPem());
        return (certificatePath, keyPath);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_endpoint_with_a_certificate_speaks_tls_beside_one_that_does_not(bool oneFile)
    {
        (string certificate, string key) = WritePem();
        if (oneFile)
            File.AppendAllText(certificate, "\n" + File.ReadAllText(key));
        string[] lines = ["Endpoints:0:Address=127.0.0.1:0", "Endpoints:1:Address=127.0.0.1:0", $"Endpoints:1:Certificate={certificate}"];
        await using TestHost host = TestHost.Build(services => services
            .AddNetGo(TestHost.Configure(oneFile ? lines : [.. lines, $"Endpoints:1:Key={key}"]))
            .Handle("/", static (response, request) => response.WriteAsync(request.Scheme)));
        await host.StartAsync();
        Assert.Equal("http", host.Get("/").Text);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(host.Server.Endpoints[1]);
        await using var stream = new SslStream(new NetworkStream(socket, ownsSocket: true), false, static (_, given, _, _) => given is not null);
        await stream.AuthenticateAsClientAsync("hosted.test").Within();
        Assert.Equal("CN=hosted.test", stream.RemoteCertificate!.Subject);
        await stream.WriteAsync(Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        Assert.EndsWith("\r\n\r\nhttps", await reader.ReadToEndAsync().Within(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_certificate_that_cannot_be_read_fails_the_start(bool exists)
    {
        string path = Path.Combine(_directory.FullName, "missing.pem");
        if (exists)
            File.WriteAllText(path, "no PEM");
        await using TestHost host = TestHost.Build(services => services.AddNetGo(o =>
        {
            o.Listen("127.0.0.1:0");
            o.ListenTls("127.0.0.1:0", path, path);
        }));
        OptionsValidationException failure = await Assert.ThrowsAsync<OptionsValidationException>(host.StartAsync);
        Assert.Contains("Endpoints[1]", failure.Message, StringComparison.Ordinal);
        Assert.Empty(host.Server.Endpoints);
    }
}
