using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace NetGo.Http.Tests.Hosting;

/// <summary>A host with a NetGo server on a free port of the loopback interface, or as a test has it.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private readonly IHost _host;

    private TestHost(IHost host, MemoryLogger log)
    {
        _host = host;
        Log = log;
        Server = host.Services.GetRequiredService<NetGoServer>();
    }

    public MemoryLogger Log { get; }

    public NetGoServer Server { get; }

    public IServiceProvider Services => _host.Services;

    public IPEndPoint EndPoint => (IPEndPoint)Server.Endpoints[0];

    public static TestHost Build(Action<IServiceCollection> configure)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        var log = new MemoryLogger();
        builder.Logging.AddProvider(new LogProvider(log));
        configure(builder.Services);
        return new TestHost(builder.Build(), log);
    }

    public static async Task<TestHost> StartAsync(Action<NetGoBuilder> configure, Action<NetGoOptions>? options = null)
    {
        TestHost host = Build(services => configure(services.AddNetGo(o =>
        {
            if (options is null)
                o.Listen("127.0.0.1:0");
            else
                options(o);
        })));
        await host.StartAsync();
        return host;
    }

    /// <summary>Configuration from lines "key=value".</summary>
    public static IConfiguration Configure(params string[] lines) => new ConfigurationBuilder()
        .AddInMemoryCollection(lines.ToDictionary(static line => line.Split('=')[0], static string? (line) => line.Split('=', 2)[1]))
        .Build();

    public Task StartAsync() => _host.StartAsync().Within();

    public Task StopAsync(CancellationToken cancellationToken = default) => _host.StopAsync(cancellationToken).Within();

    public RawClient Connect() => new(EndPoint);

    public RawResponse Get(string path)
    {
        using RawClient client = Connect();
        return client.Exchange($"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
    }

    public void AssertRefusesConnections()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Equal(SocketError.ConnectionRefused, Assert.Throws<SocketException>(() => socket.Connect(EndPoint)).SocketErrorCode);
    }

    public async ValueTask DisposeAsync()
    {
        using (var soon = new CancellationTokenSource(Bounded.Limit))
            await _host.StopAsync(soon.Token);
        if (_host is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
    }

    private sealed class LogProvider(MemoryLogger log) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => log;

        public void Dispose()
        {
        }
    }
}
