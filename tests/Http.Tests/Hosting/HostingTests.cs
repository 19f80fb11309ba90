using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace NetGo.Http.Tests.Hosting;

/// <summary>The server as a part of a host: its start, its addresses, its handlers, its end.</summary>
public class HostingTests
{
    [Fact]
    public async Task It_serves_when_the_host_has_started_and_no_more_when_it_has_stopped()
    {
        await using TestHost host = await TestHost.StartAsync(
            static b => b.Handle("GET /hello/{name}", (response, request) => response.WriteAsync($"Hello, {request.PathValue("name")}!")));
        Assert.NotEqual(0, host.EndPoint.Port);
        Assert.Equal("Hello, gopher!", host.Get("/hello/gopher").Text);
        Assert.Equal(404, host.Get("/other").StatusCode);
        Assert.Contains(host.Log.Entries, e => e.Message.Contains($"{host.EndPoint}", StringComparison.Ordinal));
        await host.StopAsync();
        host.AssertRefusesConnections();
    }

    [Fact]
    public async Task It_listens_on_several_addresses()
    {
        string path = Path.Combine(Path.GetTempPath(), $"netgo-{Guid.NewGuid():N}.sock");
        await using TestHost host = await TestHost.StartAsync(static b => b.Handle("/", Handlers.Ok), o =>
        {
            o.Listen("127.0.0.1:0");
            o.Listen("127.0.0.1:0");
            if (!OperatingSystem.IsWindows())
                o.Listen($"unix:{path}");
        });
        Assert.Equal(OperatingSystem.IsWindows() ? 2 : 3, host.Server.Endpoints.Count);
        Assert.NotEqual(host.Server.Endpoints[0], host.Server.Endpoints[1]);
        foreach (EndPoint endPoint in host.Server.Endpoints)
        {
            using var client = new HttpClient(new SocketsHttpHandler
            {
                ConnectCallback = async (_, token) =>
                {
                    var socket = endPoint is IPEndPoint
                        ? new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
                        : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await socket.ConnectAsync(endPoint, token);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            });
            Assert.Equal("ok", await client.GetStringAsync("http://h/").Within());
        }
    }

    [Fact]
    public async Task Its_meter_is_made_by_the_factory_of_the_host()
    {
        IMeterFactory? factory = null;
        await using TestHost host = await TestHost.StartAsync(b => b
            .Handle("/route", Handlers.Ok)
            .Use((services, handler) =>
            {
                factory = services.GetRequiredService<IMeterFactory>();
                return handler;
            }));
        using var recorder = new MetricRecorder(i => i.Meter.Scope == factory);
        Assert.Equal(200, host.Get("/route").StatusCode);
        Assert.Contains("http.route=/route", Assert.Single(recorder.Of("http.server.request.duration")).Tags, StringComparison.Ordinal);
    }

    // ---- Starts that fail ----

    [Fact]
    public async Task An_address_in_use_fails_the_start_and_leaves_nothing_open()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        string address = taken.LocalEndPoint!.ToString()!;
        string path = Path.Combine(Path.GetTempPath(), $"netgo-{Guid.NewGuid():N}.sock");
        await using TestHost host = TestHost.Build(services => services.AddNetGo(o =>
        {
            if (!OperatingSystem.IsWindows())
                o.Listen($"unix:{path}");
            o.Listen(address);
        }));
        IOException failure = await Assert.ThrowsAsync<IOException>(host.StartAsync);
        Assert.Contains(address, failure.Message, StringComparison.Ordinal);
        Assert.Equal(SocketError.AddressAlreadyInUse, Assert.IsType<SocketException>(failure.InnerException).SocketErrorCode);
        Assert.False(File.Exists(path));
        Assert.Empty(host.Server.Endpoints);
    }

    [Fact]
    public async Task A_handler_that_cannot_be_made_fails_the_start()
    {
        await using TestHost host = TestHost.Build(static services => services.AddNetGo(o => o.Listen("127.0.0.1:0")).Handle<Broken>("/"));
        InvalidOperationException failure = await Assert.ThrowsAsync<InvalidOperationException>(host.StartAsync);
        Assert.Equal("No database.", failure.Message);
    }

    [Fact]
    public void A_bad_pattern_throws_where_it_is_written()
    {
        NetGoBuilder builder = new ServiceCollection().AddNetGo();
        Assert.Throws<FormatException>(() => builder.Handle("GET /{", Handlers.Ok));
        builder.Handle("/{a}/x", Handlers.Ok);
        Assert.Throws<InvalidOperationException>(() => builder.Handle("/x/{b}", Handlers.Ok));
    }

    [Fact]
    public async Task A_server_that_cannot_begin_to_serve_fails_the_start()
    {
        await using TestHost host = TestHost.Build(static services => services
            .AddNetGo(o => o.Listen("127.0.0.1:0"))
            .ConfigureServer(static server => server.MaxHeaderCount = -1));
        Exception failure = await Assert.ThrowsAsync<InvalidOperationException>(host.StartAsync);
        Assert.Contains("MaxHeaderCount", failure.Message, StringComparison.Ordinal);
    }

    // ---- Handlers and middleware ----

    [Fact]
    public async Task A_singleton_handler_is_made_once_and_a_scoped_one_for_each_request()
    {
        await using TestHost host = await TestHost.StartAsync(static b =>
        {
            b.Handle<Single>("/single").Handle<Scoped>("/scoped").Handle<Transient>("/transient");
            b.Services.AddScoped<Scoped>().AddTransient<Transient>().AddScoped<Resource>().AddSingleton<Counters>();
        });
        Counters counters = host.Services.GetRequiredService<Counters>();
        Assert.Equal(1, counters.Singles);
        for (int i = 1; i <= 3; i++)
        {
            Assert.Equal("1", host.Get("/single").Text);
            Assert.Equal($"{i}", host.Get("/scoped").Text);
            Assert.Equal($"{i}", host.Get("/transient").Text);
        }
        Bounded.Until(() => counters.ResourcesDisposed == 3, "what the scopes held is disposed of"); // after the answer has gone
        Assert.Equal(3, counters.ResourcesMade);
    }

    [Fact]
    public async Task A_scope_ends_when_its_handler_fails()
    {
        await using TestHost host = await TestHost.StartAsync(static b =>
        {
            b.Handle<Failing>("/");
            b.Services.AddScoped<Failing>().AddScoped<Resource>().AddSingleton<Counters>();
        });
        Assert.Equal(500, host.Get("/").StatusCode);
        Counters counters = host.Services.GetRequiredService<Counters>();
        Bounded.Until(() => counters.ResourcesDisposed == 1, "what the scope held is disposed of");
        Assert.Contains(host.Log.Entries, static e => e is { Level: LogLevel.Error, Exception: InvalidDataException });
    }

    [Fact]
    public async Task Middleware_is_around_all_handlers_the_first_outermost()
    {
        static IHandler Mark(IHandler inner, string mark) => new HandlerFunc((response, request) =>
        {
            response.Header.Add("X", mark);
            return inner.ServeHttpAsync(response, request);
        });
        await using TestHost host = await TestHost.StartAsync(static b =>
        {
            b.Use(static inner => Mark(inner, "first"))
                .Use(static (services, inner) => Mark(inner, services.GetRequiredService<Counters>().Singles.ToString()))
                .Handle("/", Handlers.Ok);
            b.Services.AddSingleton<Counters>();
        });
        Assert.Equal(["first", "0"], host.Get("/").GetAll("X"));
        Assert.Equal(["first", "0"], host.Get("/%zz").GetAll("X"));
    }

    [Fact]
    public async Task A_handler_that_is_a_service_answers_all_when_there_are_no_patterns()
    {
        await using TestHost host = await TestHost.StartAsync(static b => b.Services.AddSingleton<IHandler>(new HandlerFunc(Handlers.Path)));
        Assert.Equal("/any/thing", host.Get("/any/thing").Text);
    }

    [Fact]
    public async Task To_add_it_twice_is_to_add_to_it()
    {
        await using TestHost host = TestHost.Build(static services =>
        {
            services.AddNetGo(o => o.Listen("127.0.0.1:0")).Handle("/a", Handlers.Path);
            services.AddNetGo(o => o.ServerName = "twice").Handle("/b", Handlers.Path);
        });
        await host.StartAsync();
        Assert.Equal("/a", host.Get("/a").Text);
        Assert.Equal("/b", host.Get("/b").Text);
        Assert.Equal("twice", host.Get("/b").Get("Server"));
        Assert.Single(host.Services.GetServices<IHostedService>());
    }

    [Fact]
    public async Task The_server_can_be_configured_beyond_the_options()
    {
        var key = new ContextKey<string>("key");
        await using TestHost host = await TestHost.StartAsync(b => b
            .ConfigureServer(server => server.BaseContext = _ => Context.WithValue(Context.Background, key, "configured"))
            .Handle("/", (response, request) => response.WriteAsync(request.Context.Value(key)!)));
        Assert.Equal("configured", host.Get("/").Text);
    }

    // ---- The end ----

    [Fact]
    public async Task A_stop_waits_for_a_request_under_way()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestHost host = await TestHost.StartAsync(b => b.Handle("/", async (response, _) =>
        {
            entered.SetResult();
            await end.Task;
            await response.WriteAsync("whole");
        }));
        using RawClient client = host.Connect();
        client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        await entered.Task.Within();
        Task stop = host.StopAsync();
        Bounded.Until(
            () =>
            {
                try
                {
                    host.Connect().Dispose();
                    return false;
                }
                catch (SocketException)
                {
                    return true;
                }
            },
            "the stop has begun");
        Assert.False(stop.IsCompleted);
        end.SetResult();
        RawResponse response = client.ReadResponse();
        Assert.Equal("whole", response.Text);
        await stop.Within();
        Assert.DoesNotContain(host.Log.Entries, static e => e.Level >= LogLevel.Warning);
    }

    [Fact]
    public async Task A_stop_closes_what_is_under_way_when_the_hosts_patience_ends()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestHost host = await TestHost.StartAsync(b => b.Handle("/", async (_, request) =>
        {
            Context context = request.Context;
            entered.SetResult();
            await context.WaitDoneAsync();
            ended.SetResult();
        }));
        using RawClient client = host.Connect();
        client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        await entered.Task.Within();
        await host.StopAsync(new CancellationToken(canceled: true));
        await ended.Task.Within();
        client.AssertClosed();
        Assert.Contains(host.Log.Entries, static e => e.Level == LogLevel.Warning && e.Message.Contains("1 connections", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_handler_that_heeds_nothing_does_not_hold_up_the_stop_for_ever()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestHost host = await TestHost.StartAsync(b => b.Handle("/", async (_, _) =>
        {
            entered.SetResult();
            await end.Task;
        }));
        using RawClient client = host.Connect();
        client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        await entered.Task.Within();
        await host.StopAsync(new CancellationToken(canceled: true));
        Assert.Equal(1, host.Server.ConnectionCount);
        end.SetResult();
        Bounded.Until(() => host.Server.ConnectionCount == 0, "its connection has ended");
    }

    // ---- Services ----

    private sealed class Counters
    {
        public int Singles;
        public int Scopes;
        public int Transients;
        public int ResourcesMade;
        public int ResourcesDisposed;
    }

    private sealed class Resource : IAsyncDisposable
    {
        private readonly Counters _counters;

        public Resource(Counters counters)
        {
            _counters = counters;
            Interlocked.Increment(ref counters.ResourcesMade);
        }

        public ValueTask DisposeAsync()
        {
            Interlocked.Increment(ref _counters.ResourcesDisposed);
            return default;
        }
    }

    private sealed class Single(Counters counters) : IHandler
    {
        private readonly int _number = Interlocked.Increment(ref counters.Singles);

        public ValueTask ServeHttpAsync(ResponseWriter response, Request request) => response.WriteAsync($"{_number}");
    }

    private sealed class Scoped(Counters counters, Resource resource) : IHandler
    {
        private readonly int _number = Interlocked.Increment(ref counters.Scopes);

        public ValueTask ServeHttpAsync(ResponseWriter response, Request request)
        {
            Assert.NotNull(resource);
            return response.WriteAsync($"{_number}");
        }
    }

    private sealed class Transient(Counters counters) : IHandler
    {
        private readonly int _number = Interlocked.Increment(ref counters.Transients);

        public ValueTask ServeHttpAsync(ResponseWriter response, Request request) => response.WriteAsync($"{_number}");
    }

    private sealed class Failing(Resource resource) : IHandler
    {
        public ValueTask ServeHttpAsync(ResponseWriter response, Request request) => throw new InvalidDataException($"{resource}");
    }

    private sealed class Broken : IHandler
    {
        public Broken() => throw new InvalidOperationException("No database.");

        public ValueTask ServeHttpAsync(ResponseWriter response, Request request) => default;
    }
}
