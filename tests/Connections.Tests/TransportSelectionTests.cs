using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using NetGo.Netpoll;

namespace NetGo.Connections.Tests;

/// <summary>Which of the two transports is used, and what is said about it.</summary>
public sealed class TransportSelectionTests : IDisposable
{
    private const string Variable = "NETGO_POLLER";

    private readonly string? _variable = Environment.GetEnvironmentVariable(Variable);
    private readonly GoScheduler _scheduler = Bounded.NewScheduler(1);
    private readonly MemoryLogger _logger = new();

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Variable, _variable);
        _scheduler.Dispose();
    }

    // The poller of another system is one that does not work here.
    private static void LetNoPollerWork() => Environment.SetEnvironmentVariable(Variable, OperatingSystem.IsWindows() ? "epoll" : "iocp");

    private NetpollTransportFactory Factory(FallbackUse fallback) => new(Options(fallback), new OneLogger(_logger));

    private NetpollTransportOptions Options(FallbackUse fallback) => new() { Scheduler = _scheduler, Fallback = fallback };

    private string[] Logged => [.. _logger.Entries.Where(static entry => entry.Level == LogLevel.Information).Select(static entry => entry.Message)];

    // Twice, as what is said is said once.
    private static async Task ServeAsync(NetpollTransportFactory factory)
    {
        for (int i = 0; i < 2; i++)
        {
            await using TransportHost host = await TransportHost.StartAsync(factory);
            (Socket client, ConnectionContext server) = await host.ConnectAsync();
            await TransportHost.SendAsync(client, Bytes.Of("served"));
            Assert.Equal("served", await server.Transport.Input.ReadTextAsync());
        }
    }

    [Theory]
    [InlineData(FallbackUse.WhenNeeded)]
    [InlineData(FallbackUse.Never)]
    public async Task Where_a_poller_works_it_is_used(FallbackUse fallback)
    {
        await ServeAsync(Factory(fallback));
        Assert.NotEqual(PollerKind.Default, _scheduler.GetPollerKind());
        Assert.Equal([$"Connections run on netpoll, by {_scheduler.GetPollerKind()}"], Logged);
        await Task.Run(() => Bounded.NoneLeft(_scheduler));
    }

    [Fact]
    public async Task The_fallback_can_be_forced_and_then_there_is_no_poller()
    {
        await ServeAsync(Factory(FallbackUse.Always));
        Assert.Equal(PollerKind.Default, _scheduler.GetPollerKind());
        Assert.Contains("as the options say", Assert.Single(Logged), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_no_poller_works_the_fallback_is_used()
    {
        LetNoPollerWork();
        await ServeAsync(Factory(FallbackUse.WhenNeeded));
        Assert.Contains("because no poller works here: There is no poller of kind", Assert.Single(Logged), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_no_poller_works_connecting_uses_the_fallback_too()
    {
        LetNoPollerWork();
        await using TransportHost host = await TransportHost.StartAsync(Factory(FallbackUse.Always));
        var factory = new NetpollConnectionFactory(Options(FallbackUse.WhenNeeded), new OneLogger(_logger));
        ValueTask<ConnectionContext?> accept = host.Listener.AcceptAsync();
        await using ConnectionContext client = await factory.ConnectAsync(host.Listener.EndPoint).AsTask().Within();
        await using ConnectionContext server = (await accept.AsTask().Within())!;
        await client.Transport.Output.WriteAsync(Bytes.Of("hello"));
        Assert.Equal("hello", await server.Transport.Input.ReadTextAsync());
        Assert.Contains("because no poller works here", Logged[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_fallback_it_is_an_error_that_no_poller_works()
    {
        LetNoPollerWork();
        var any = new IPEndPoint(IPAddress.Loopback, 0);
        await Assert.ThrowsAsync<PlatformNotSupportedException>(async () => await Factory(FallbackUse.Never).BindAsync(any));
        await Assert.ThrowsAsync<PlatformNotSupportedException>(
            async () => await new NetpollConnectionFactory(Options(FallbackUse.Never)).ConnectAsync(any));
    }

    [Fact]
    public async Task A_variable_that_names_no_poller_is_an_error_all_the_same()
    {
        Environment.SetEnvironmentVariable(Variable, "epol");
        await Assert.ThrowsAsync<FormatException>(async () => await Factory(FallbackUse.WhenNeeded).BindAsync(new IPEndPoint(IPAddress.Loopback, 0)));
        Assert.Empty(Logged);
    }

    [Fact]
    public async Task Where_the_system_refuses_a_poller_the_fallback_is_used()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Descriptors are limited by setrlimit(2) here.");
        NetpollTransportFactory factory = Factory(FallbackUse.WhenNeeded);
        await ServeAsync(Factory(FallbackUse.Always)); // so that what .NET needs for sockets is there
        using (new NoDescriptors())
            await Assert.ThrowsAsync<SocketException>(async () => await factory.BindAsync(new IPEndPoint(IPAddress.Loopback, 0))); // nor is there one to listen with
        await ServeAsync(factory);
        Assert.Contains("because no poller works here: epoll_create1", Logged[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_listener_of_the_fallback_that_is_out_of_descriptors_says_so_once_and_goes_on_when_there_are_some()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Descriptors are limited by setrlimit(2) here.");
        await using TransportHost host = await TransportHost.StartAsync(Factory(FallbackUse.Always));
        await host.ConnectAsync();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(host.Listener.EndPoint);
        Task<ConnectionContext?> accept;
        using (new NoDescriptors())
        {
            accept = host.Listener.AcceptAsync().AsTask();
            Bounded.Until(() => _logger.Entries.Any(static entry => entry.Level == LogLevel.Error), "the exhaustion logged");
            await Task.Delay(50);
            Assert.False(accept.IsCompleted);
        }
        await using ConnectionContext server = (await accept.Within())!;
        await TransportHost.SendAsync(client, Bytes.Of("at last"));
        Assert.Equal("at last", await server.Transport.Input.ReadTextAsync());
        Assert.Single(_logger.Entries, static entry => entry.Level == LogLevel.Error);
        Assert.Contains("are accepted again", Logged[^1], StringComparison.Ordinal);
    }

    private sealed class OneLogger(ILogger logger) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => logger;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
