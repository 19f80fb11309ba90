using System.Diagnostics.Metrics;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace NetGo.Http.Tests.Telemetry;

/// <summary>The meter NetGo.Http.</summary>
public sealed class MetricsTests : IDisposable
{
    private const string Duration = "http.server.request.duration";
    private const string Active = "http.server.active_requests";
    private const string Get = "http.request.method=GET";
    private const string Http11 = "network.protocol.version=1.1 url.scheme=http";

    private readonly TestMeterFactory _factory = new();
    private readonly MetricRecorder _recorder;

    public MetricsTests() => _recorder = _factory.Record();

    public void Dispose()
    {
        _recorder.Dispose();
        _factory.Dispose();
    }

    private TestServer Serve(IHandler handler, Action<Server>? configure = null, TlsOptions? tls = null) => new(
        handler,
        server =>
        {
            server.MeterFactory = _factory;
            configure?.Invoke(server);
        },
        tls: tls);

    private TestServer Serve(Func<ResponseWriter, Request, ValueTask> handler, Action<Server>? configure = null) => Serve(new HandlerFunc(handler), configure);

    private static string Request(string method = "GET", string target = "/", string version = "HTTP/1.1") => $"{method} {target} {version}\r\nHost: h\r\n\r\n";

    // The tags of the requests that have ended, when there are so many.
    private string[] Ended(int count = 1)
    {
        Bounded.Until(() => _recorder.Of(Duration).Count >= count, $"{count} requests are measured");
        return [.. _recorder.Of(Duration).Select(m => m.Tags)];
    }

    private void NoneActive() => Bounded.Until(
        () => _recorder.Observe(Active).All(m => m.Value == 0), "no request is active: " + string.Join(", ", _recorder.Observe(Active)));

    [Fact]
    public async Task The_instruments_are_those_of_the_documentation()
    {
        await using TestServer server = Serve(Handlers.Ok);
        await using TestServer another = Serve(Handlers.Ok); // of the same factory: there is one of each for both
        string[] expected =
        [
            "ObservableUpDownCounter http.server.active_requests {request}",
            "Histogram http.server.request.duration s",
            "ObservableUpDownCounter netgo.http.active_connections {connection}",
            "Histogram netgo.http.connection.duration s",
            "ObservableCounter netgo.http.io By",
            "Counter netgo.http.refused_requests {request}",
            "Counter netgo.http.rejected_connections {connection}",
        ];
        Assert.Equal(expected, _recorder.Instruments.OrderBy(i => i.Name, StringComparer.Ordinal).Select(i => $"{i.GetType().Name.Split('`')[0]} {i.Name} {i.Unit}"));
        Assert.All(_recorder.Instruments, i => Assert.Equal("NetGo.Http", i.Meter.Name));
        Assert.All(_recorder.Instruments, i => Assert.NotEqual("", i.Description));
        var duration = (Histogram<double>)_recorder.Instruments.Single(i => i.Name == Duration);
        Assert.Equal([0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10], duration.Advice!.HistogramBucketBoundaries!);
    }

    // ---- Tags ----

    [Fact]
    public async Task A_request_is_measured_with_the_route_that_matched()
    {
        var mux = new ServeMux();
        mux.HandleFunc("GET /users/{id}", Handlers.Ok);
        mux.HandleFunc("h/files/", Handlers.Ok);
        await using TestServer server = Serve(mux);
        Assert.Equal(200, server.Exchange(Request(target: "/users/1")).StatusCode);
        Assert.Equal(200, server.Exchange(Request(target: "/users/2")).StatusCode);
        Assert.Equal(200, server.Exchange(Request("POST", "/files/a/b")).StatusCode);
        Assert.Equal(404, server.Exchange(Request(target: "/other")).StatusCode);
        Assert.Equal(405, server.Exchange(Request("PUT", "/users/1")).StatusCode);
        string[] expected =
        [
            $"{Get} http.response.status_code=200 http.route=/users/{{id}} {Http11}",
            $"{Get} http.response.status_code=200 http.route=/users/{{id}} {Http11}",
            $"http.request.method=POST http.response.status_code=200 http.route=/files/ {Http11}",
            $"{Get} http.response.status_code=404 {Http11}",
            $"http.request.method=PUT http.response.status_code=405 {Http11}",
        ];
        Assert.Equal(expected, Ended(5));
    }

    [Fact]
    public async Task A_duration_is_in_seconds()
    {
        await using TestServer server = Serve(async (response, _) =>
        {
            await Go.SleepAsync(TimeSpan.FromMilliseconds(60));
            await response.WriteAsync("late");
        });
        server.Exchange(Request());
        Ended();
        Assert.InRange(_recorder.Of(Duration)[0].Value, 0.05, Bounded.Limit.TotalSeconds);
    }

    [Theory]
    [InlineData("PATCH", "PATCH")]
    [InlineData("DELETE", "DELETE")]
    [InlineData("HEAD", "HEAD")]
    [InlineData("get", "_OTHER")] // RFC 9110, section 9.1: methods are case-sensitive
    [InlineData("BREW", "_OTHER")]
    [InlineData("GETX", "_OTHER")]
    public async Task A_client_cannot_make_as_many_series_as_it_likes(string method, string tag)
    {
        await using TestServer server = Serve(Handlers.Ok);
        server.Exchange(Request(method));
        Assert.Equal([$"http.request.method={tag} http.response.status_code=200 {Http11}"], Ended());
    }

    [Fact]
    public async Task The_version_is_that_of_the_request()
    {
        await using TestServer server = Serve(Handlers.Ok);
        server.Exchange(Request(version: "HTTP/1.0"));
        Assert.Equal([$"{Get} http.response.status_code=200 network.protocol.version=1.0 url.scheme=http"], Ended());
    }

    [Fact]
    public async Task With_TLS_the_scheme_is_https()
    {
        using var certificate = TlsTests.NewCertificate("one.test");
        await using TestServer server = Serve(new HandlerFunc(Handlers.Ok), tls: new TlsOptions { Certificate = certificate });
        using (var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            await socket.ConnectAsync(server.EndPoint);
            await using var stream = new SslStream(new NetworkStream(socket));
            await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "one.test",
                EnabledSslProtocols = System.Security.Authentication.SslProtocols.Tls12,
                RemoteCertificateValidationCallback = static (_, given, _, _) => given is not null,
            }).Within();
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Request()));
            Assert.Equal('H', stream.ReadByte());
            Assert.Equal(0, _recorder.Observe(Active, $"{Get} url.scheme=https"));
        }
        Assert.Equal([$"{Get} http.response.status_code=200 network.protocol.version=1.1 url.scheme=https"], Ended());
        Bounded.Until(() => _recorder.Of("netgo.http.connection.duration").Count == 1, "the connection is measured");
        Assert.Equal("network.transport=tcp network.type=ipv4 tls.protocol.version=1.2", _recorder.Of("netgo.http.connection.duration")[0].Tags);
    }

    // ---- Failures ----

    [Fact]
    public async Task A_handler_that_throws_is_an_error_of_the_type_of_its_exception()
    {
        await using TestServer server = Serve((_, _) => throw new FormatException("no"));
        Assert.Equal(500, server.Exchange(Request()).StatusCode);
        Assert.Equal([$"error.type=System.FormatException {Get} http.response.status_code=500 {Http11}"], Ended());
    }

    [Fact]
    public async Task An_answer_of_5xx_is_an_error_and_one_of_4xx_is_none()
    {
        await using TestServer server = Serve((response, request) => response.ErrorAsync(int.Parse(request.Path[1..], null)));
        server.Exchange(Request(target: "/503"));
        server.Exchange(Request(target: "/409"));
        string[] expected = [$"error.type=503 {Get} http.response.status_code=503 {Http11}", $"{Get} http.response.status_code=409 {Http11}"];
        Assert.Equal(expected, Ended(2));
    }

    [Fact]
    public async Task Content_beyond_the_limit_is_the_failure_of_the_client()
    {
        await using TestServer server = Serve(Handlers.Echo, s => s.MaxRequestBodySize = 10);
        Assert.Equal(413, server.Exchange("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n01234567890123456789\r\n0\r\n\r\n").StatusCode);
        Assert.Equal([$"http.request.method=POST http.response.status_code=413 {Http11}"], Ended());
    }

    [Fact]
    public async Task A_response_that_is_shorter_than_announced_is_an_error()
    {
        await using TestServer server = Serve((response, _) =>
        {
            response.Header.Set("Content-Length", "10");
            return response.WriteAsync("short");
        });
        Assert.False(server.Exchange(Request()).IsComplete);
        Assert.Equal([$"error.type=incomplete_response {Get} http.response.status_code=200 {Http11}"], Ended());
        NoneActive();
    }

    [Fact]
    public async Task A_handler_that_throws_when_its_response_has_begun_is_an_error_with_the_status_that_was_sent()
    {
        await using TestServer server = Serve(async (response, _) =>
        {
            await response.WriteAsync("begun");
            await response.FlushAsync();
            throw new TimeoutException();
        });
        Assert.False(server.Exchange(Request()).IsComplete);
        Assert.Equal([$"error.type=System.TimeoutException {Get} http.response.status_code=200 {Http11}"], Ended());
    }

    [Fact]
    public async Task A_request_that_no_handler_sees_is_counted_as_refused()
    {
        await using TestServer server = Serve(Handlers.Ok);
        Assert.Equal(400, server.Exchange("GET / HTTP/1.1\r\n\r\n").StatusCode); // no Host
        Assert.Equal(505, server.Exchange("GET / HTTP/2.0\r\nHost: h\r\n\r\n").StatusCode);
        Assert.Equal([(1, "http.response.status_code=400"), (1, "http.response.status_code=505")], _recorder.Of("netgo.http.refused_requests"));
        Assert.Empty(_recorder.Of(Duration));
    }

    [Fact]
    public async Task A_connection_beyond_the_limit_is_counted_as_rejected()
    {
        await using TestServer server = Serve(Handlers.Ok, s => s.MaxConnections = 1);
        using RawClient first = server.Connect();
        first.Exchange(Request());
        using RawClient second = server.Connect();
        Assert.Equal(503, second.ReadResponse().StatusCode);
        Assert.Equal([(1, "")], _recorder.Of("netgo.http.rejected_connections"));
    }

    // ---- Active requests ----

    [Fact]
    public async Task A_request_is_active_until_its_handler_has_ended()
    {
        var entered = new WaitGroup();
        entered.Add(3);
        var ends = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = Serve(async (response, _) =>
        {
            entered.Done();
            await ends.Task;
            await response.WriteAsync("done");
        });
        using RawClient first = server.Connect();
        using RawClient second = server.Connect();
        using RawClient third = server.Connect();
        first.Send(Request());
        second.Send(Request());
        third.Send(Request("POST"));
        await entered.WaitAsync().AsTask().Within();
        Assert.Equal([(2, $"{Get} url.scheme=http"), (1, "http.request.method=POST url.scheme=http")], _recorder.Observe(Active));
        Assert.Empty(_recorder.Of(Duration));
        ends.SetResult();
        Assert.Equal(200, first.ReadResponse().StatusCode);
        Assert.Equal(200, second.ReadResponse().StatusCode);
        Assert.Equal(200, third.ReadResponse().StatusCode);
        Assert.Equal([(0, $"{Get} url.scheme=http"), (0, "http.request.method=POST url.scheme=http")], _recorder.Observe(Active));
    }

    [Fact]
    public async Task One_whose_client_goes_away_is_not_active_any_more()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = Serve(async (_, request) =>
        {
            entered.SetResult();
            await Go.SleepAsync(Bounded.Limit, request.Aborted);
        });
        using RawClient client = server.Connect();
        client.Send(Request());
        await entered.Task.Within();
        Assert.Equal(1, _recorder.Observe(Active, $"{Get} url.scheme=http"));
        client.Reset();
        Assert.StartsWith("error.type=", Ended()[0], StringComparison.Ordinal);
        NoneActive();
    }

    [Fact]
    public async Task One_whose_server_is_closed_is_not_active_any_more()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = Serve(async (_, request) =>
        {
            entered.SetResult();
            await Go.SleepAsync(Bounded.Limit, request.Aborted);
        });
        using RawClient client = server.Connect();
        client.Send(Request());
        await entered.Task.Within();
        server.Server.Close();
        Ended();
        NoneActive();
    }

    [Fact]
    public async Task Requests_that_are_under_way_when_somebody_begins_to_listen_are_not_counted()
    {
        using var factory = new TestMeterFactory();
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ends = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(
            async (response, _) =>
            {
                entered.TrySetResult();
                await ends.Task;
                await response.WriteAsync("done");
            },
            s => s.MeterFactory = factory);
        using RawClient client = server.Connect();
        client.Send(Request());
        await entered.Task.Within();
        using MetricRecorder late = factory.Record();
        ends.SetResult();
        Assert.Equal(200, client.ReadResponse().StatusCode);
        Assert.Empty(late.Observe(Active));
        Assert.Empty(late.Of(Duration));
        Assert.Equal(200, client.Exchange(Request()).StatusCode);
        Assert.Equal([(0, $"{Get} url.scheme=http")], late.Observe(Active));
        Assert.Single(late.Of(Duration));
    }

    [Fact]
    public async Task Each_of_pipelined_requests_is_measured()
    {
        await using TestServer server = Serve(Handlers.Ok);
        using RawClient client = server.Connect();
        client.Send(string.Concat(Enumerable.Repeat(Request(), 20)));
        for (int i = 0; i < 20; i++)
            Assert.Equal(200, client.ReadResponse().StatusCode);
        Assert.Equal(20, Ended(20).Length);
        NoneActive();
    }

    // ---- Connections that handlers take over ----

    [Fact]
    public async Task A_request_has_ended_when_its_connection_speaks_another_protocol()
    {
        await using TestServer server = Serve(async (response, _) =>
        {
            await using HijackedStream stream = await response.UpgradeAsync("echo");
            byte[] buffer = new byte[100];
            while (await stream.ReadAsync(buffer) > 0)
            {
            }
        });
        using RawClient client = server.Connect();
        client.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
        Assert.Equal(101, client.ReadAnyResponse().StatusCode);
        Assert.Equal([$"{Get} http.response.status_code=101 {Http11}"], Ended());
        NoneActive();
        Bounded.Until(() => Connections() == (0, 1), "it is a hijacked one");
        Assert.Empty(_recorder.Of("netgo.http.connection.duration"));
        client.HalfClose();
        client.AssertClosed();
        Bounded.Until(() => Connections() == (0, 0), "it has ended");
        Bounded.Until(() => _recorder.Of("netgo.http.connection.duration").Count == 1, "and is measured");
        Assert.Single(Ended()); // still
    }

    [Fact]
    public async Task One_that_is_hijacked_has_no_status()
    {
        await using TestServer server = Serve(async (response, _) =>
        {
            await using HijackedStream stream = await response.HijackAsync();
            await stream.WriteAsync("anything"u8.ToArray());
            throw new FormatException("too late to be an error of the request");
        });
        using RawClient client = server.Connect();
        client.Send(Request());
        Assert.Equal("anything", Encoding.ASCII.GetString(client.ReadToEnd()));
        Assert.Equal([$"{Get} {Http11}"], Ended());
        NoneActive();
    }

    private (double Served, double Hijacked) Connections() =>
        (_recorder.Observe("netgo.http.active_connections", "netgo.http.connection.state=served"),
        _recorder.Observe("netgo.http.active_connections", "netgo.http.connection.state=hijacked"));

    [Fact]
    public async Task Connections_are_counted_while_they_are_open_and_timed_when_they_end()
    {
        await using TestServer server = Serve(Handlers.Ok);
        await using TestServer another = Serve(Handlers.Ok);
        using RawClient first = server.Connect();
        using RawClient second = another.Connect();
        first.Exchange(Request());
        second.Exchange(Request());
        Assert.Equal((2, 0), Connections());
        first.Dispose();
        Bounded.Until(() => Connections() == (1, 0), "one has ended");
        Bounded.Until(() => _recorder.Of("netgo.http.connection.duration").Count == 1, "it is measured");
        Assert.Equal("network.transport=tcp network.type=ipv4", _recorder.Of("netgo.http.connection.duration")[0].Tags);
        Assert.InRange(_recorder.Of("netgo.http.connection.duration")[0].Value, 1e-6, Bounded.Limit.TotalSeconds);
    }

    // ---- Bytes ----

    [Fact]
    public async Task Bytes_are_counted_in_both_directions()
    {
        await using TestServer server = Serve(Handlers.Echo);
        using RawClient client = server.Connect();
        string request = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + new string('x', 100_000);
        client.Send(request);
        client.Send(request);
        client.HalfClose();
        int received = client.ReadToEnd().Length;
        Assert.InRange(received, 200_000, 201_000);
        Bounded.Until(() => _recorder.Observe("netgo.http.io", "network.io.direction=receive") == 2 * request.Length, "the requests are counted");
        Bounded.Until(() => _recorder.Observe("netgo.http.io", "network.io.direction=transmit") == received, "the responses are counted");
    }

    [Fact]
    public async Task They_are_seen_while_a_transfer_goes_on()
    {
        await using TestServer server = Serve(Handlers.Echo);
        using RawClient client = server.Connect();
        client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + new string('x', 50_000));
        Bounded.Until(() => _recorder.Observe("netgo.http.io", "network.io.direction=receive") > 50_000, "what has come is counted");
    }

    [Fact]
    public async Task A_listener_that_throws_costs_the_connection_and_nothing_else()
    {
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == _factory && instrument.Name == Duration)
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>(static (_, _, _, _) => throw new InvalidOperationException("The listener is broken."));
        listener.Start();
        var log = new MemoryLogger();
        await using TestServer server = Serve(Handlers.Ok, s => s.Logger = log); // it is said there
        for (int i = 0; i < 3; i++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync((System.Net.IPEndPoint)server.EndPoint);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Request()));
            try
            {
                while (await client.GetStream().ReadAsync(new byte[1000]).AsTask().Within() > 0)
                {
                }
            }
            catch (IOException)
            {
                // it was reset
            }
        }
        Bounded.Until(() => server.Server.ConnectionCount == 0, "no connection is left");
        NoneActive();
        Assert.Contains(log.Entries, static e => e.Exception?.Message == "The listener is broken.");
    }

    // ---- Where the meter comes from ----

    [Fact]
    public async Task Without_a_factory_there_is_one_meter_for_all_servers()
    {
        using var recorder = new MetricRecorder(static i => i.Meter is { Name: "NetGo.Http", Scope: null });
        var mux = new ServeMux();
        mux.HandleFunc("/without-a-factory", Handlers.Ok);
        await using var first = new TestServer(mux);
        await using var second = new TestServer(mux);
        Assert.Equal(200, first.Exchange(Request(target: "/without-a-factory")).StatusCode);
        Assert.Equal(200, second.Exchange(Request(target: "/without-a-factory")).StatusCode);
        Assert.Equal(2, recorder.Of(Duration).Count(m => m.Tags.Contains("http.route=/without-a-factory", StringComparison.Ordinal)));
        Assert.Single(recorder.Instruments, static i => i.Name == Duration);
    }
}
