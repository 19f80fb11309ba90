using System.Collections.Concurrent;
using System.Diagnostics;
using InMemoryServer = NetGo.Http.Testing.TestServer;

namespace NetGo.Http.Tests.Telemetry;

/// <summary>The activity of each request. Whoever listens hears of all servers of the process: so alone.</summary>
[Collection(nameof(Alone))]
public sealed class ActivityTests : IDisposable
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string SpanId = "00f067aa0ba902b7";

    private readonly ConcurrentQueue<Activity> _ended = new();
    private ActivityListener? _listener;

    public void Dispose() => _listener?.Dispose();

    private void Listen()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "NetGo.Http",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    private Activity Only()
    {
        Bounded.Until(() => !_ended.IsEmpty, "the activity has ended");
        return Assert.Single(_ended);
    }

    private static string Get(string target = "/", string fields = "") => $"GET {target} HTTP/1.1\r\nHost: h\r\n{fields}\r\n";

    private static ValueTask Current(ResponseWriter response, Request request) => response.WriteAsync(Activity.Current?.Id ?? "none");

    private static string Tag(Activity activity, string name) => activity.GetTagItem(name) switch
    {
        null => "none",
        var value => $"{value.GetType().Name} {value}",
    };

    [Fact]
    public async Task There_is_none_while_nobody_listens()
    {
        await using var server = new TestServer(Current);
        Assert.Equal("none", server.Exchange(Get(fields: $"traceparent: 00-{TraceId}-{SpanId}-01\r\n")).Text);
    }

    [Fact]
    public async Task It_goes_on_with_the_trace_of_the_client()
    {
        Listen();
        await using var server = new TestServer((response, request) => response.WriteAsync($"{Activity.Current!.Id} {Activity.Current.GetBaggageItem("user")}"));
        string id = server.Exchange(Get(fields: $"traceparent: 00-{TraceId}-{SpanId}-01\r\ntracestate: vendor=1\r\nbaggage: user=gopher\r\n")).Text;
        Activity activity = Only();
        Assert.Equal($"{activity.Id} gopher", id);
        Assert.Equal(TraceId, activity.TraceId.ToString());
        Assert.Equal(SpanId, activity.ParentSpanId.ToString());
        Assert.True(activity.HasRemoteParent);
        Assert.Equal("vendor=1", activity.TraceStateString);
        Assert.Equal(ActivityKind.Server, activity.Kind);
    }

    [Theory]
    [InlineData("")]
    [InlineData("traceparent: 00-malformed-01\r\n")]
    [InlineData("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n")]
    public async Task Without_one_that_can_be_understood_it_begins_another(string fields)
    {
        Listen();
        // Not that of where the server was started, either.
        using var around = new Activity("around");
        around.Start();
        await using var server = new TestServer(Current);
        around.Stop();
        server.Exchange(Get(fields: fields));
        Activity activity = Only();
        Assert.Equal(default, activity.ParentSpanId);
        Assert.NotEqual(TraceId, activity.TraceId.ToString());
        Assert.NotEqual(around.TraceId, activity.TraceId);
    }

    [Fact]
    public async Task It_has_the_attributes_of_the_semantic_conventions()
    {
        Listen();
        var mux = new ServeMux();
        mux.HandleFunc("GET /users/{id}", Handlers.Ok);
        await using var server = new TestServer(mux);
        using RawClient client = server.Connect();
        client.Exchange("GET /users/a%20b?password=secret HTTP/1.1\r\nHost: example.com:8080\r\nUser-Agent: test/1\r\n\r\n");
        Activity activity = Only();
        Assert.Equal("GET /users/{id}", activity.DisplayName);
        Assert.Equal("String GET", Tag(activity, "http.request.method"));
        Assert.Equal("String http", Tag(activity, "url.scheme"));
        Assert.Equal("String /users/a%20b", Tag(activity, "url.path"));
        Assert.Equal("none", Tag(activity, "url.query"));
        Assert.Equal("String /users/{id}", Tag(activity, "http.route"));
        Assert.Equal("Int32 200", Tag(activity, "http.response.status_code"));
        Assert.Equal("String 1.1", Tag(activity, "network.protocol.version"));
        Assert.Equal("String test/1", Tag(activity, "user_agent.original"));
        Assert.Equal("String example.com", Tag(activity, "server.address"));
        Assert.Equal("Int32 8080", Tag(activity, "server.port"));
        Assert.Equal("String 127.0.0.1", Tag(activity, "client.address"));
        Assert.Equal($"Int32 {((System.Net.IPEndPoint)client.Socket.LocalEndPoint!).Port}", Tag(activity, "network.peer.port"));
        Assert.Equal("none", Tag(activity, "error.type"));
        Assert.Equal(ActivityStatusCode.Unset, activity.Status);
    }

    [Theory]
    [InlineData("h", "String h", "none")]
    [InlineData("[::1]", "String [::1]", "none")]
    [InlineData("[::1]:80", "String [::1]", "Int32 80")]
    public async Task The_host_may_be_of_any_kind(string host, string address, string port)
    {
        Listen();
        await using var server = new TestServer(Handlers.Ok);
        server.Exchange($"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        Activity activity = Only();
        Assert.Equal(address, Tag(activity, "server.address"));
        Assert.Equal(port, Tag(activity, "server.port"));
    }

    [Fact]
    public async Task A_method_that_is_not_known_is_told_as_it_was_sent()
    {
        Listen();
        await using var server = new TestServer(Handlers.Ok);
        server.Exchange("BREW / HTTP/1.1\r\nHost: h\r\n\r\n");
        Activity activity = Only();
        Assert.Equal("HTTP", activity.DisplayName);
        Assert.Equal("String _OTHER", Tag(activity, "http.request.method"));
        Assert.Equal("String BREW", Tag(activity, "http.request.method_original"));
    }

    [Fact]
    public async Task A_handler_that_throws_is_an_error_with_its_exception()
    {
        Listen();
        await using var server = new TestServer((_, _) => throw new FormatException("wrong"));
        Assert.Equal(500, server.Exchange(Get()).StatusCode);
        Activity activity = Only();
        Assert.Equal(ActivityStatusCode.Error, activity.Status);
        Assert.Equal("String System.FormatException", Tag(activity, "error.type"));
        ActivityEvent e = Assert.Single(activity.Events);
        Assert.Equal("exception", e.Name);
        Assert.Contains(e.Tags, t => t is { Key: "exception.message", Value: "wrong" });
    }

    [Fact]
    public async Task An_answer_of_5xx_is_an_error_and_one_of_4xx_is_none()
    {
        Listen();
        await using var server = new TestServer((response, request) => response.ErrorAsync(int.Parse(request.Path[1..], null)));
        server.Exchange(Get("/503"));
        server.Exchange(Get("/404"));
        Bounded.Until(() => _ended.Count == 2, "both have ended");
        Assert.Equal([ActivityStatusCode.Error, ActivityStatusCode.Unset], _ended.Select(a => a.Status));
        Assert.Equal("String 503", Tag(_ended.First(), "error.type"));
    }

    // ---- Where it is current ----

    [Fact]
    public async Task It_flows_where_the_handler_goes_and_not_beyond()
    {
        Listen();
        await using var server = new TestServer(async (response, _) =>
        {
            Activity here = Activity.Current!;
            await Go.YieldAsync();
            Assert.Same(here, Activity.Current);
            await Task.Delay(1);
            Assert.Same(here, Activity.Current);
            Channel<Activity?> channel = Channel.Make<Activity?>();
            Go.Spawn(async () => await channel.SendAsync(Activity.Current));
            (Activity? there, _) = await channel.ReceiveAsync();
            Assert.Same(here, there);
            await response.WriteAsync(here.Id!);
        });
        using RawClient client = server.Connect();
        string[] ids = [client.Exchange(Get()).Text, client.Exchange(Get()).Text, server.Exchange(Get()).Text];
        Bounded.Until(() => _ended.Count == 3, "all have ended");
        Assert.Equal(ids, _ended.Select(a => a.Id));
        Assert.Equal(3, _ended.Select(a => a.TraceId).Distinct().Count());
        Assert.All(_ended, a => Assert.Null(a.Parent));
    }

    [Fact]
    public async Task That_of_a_handler_which_ends_at_once_is_over_with_the_request()
    {
        Listen();
        await using var server = new TestServer(Current);
        using RawClient client = server.Connect();
        client.Send(Get() + Get());
        string[] ids = [client.ReadResponse().Text, client.ReadResponse().Text, client.Exchange(Get()).Text];
        Bounded.Until(() => _ended.Count == 3, "all have ended");
        Assert.Equal(ids, _ended.Select(a => a.Id));
        Assert.All(_ended, a => Assert.Null(a.ParentId));
    }

    [Fact]
    public async Task Other_goroutines_do_not_see_it()
    {
        Listen();
        using var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1 });
        var seen = new ConcurrentQueue<Activity?>();
        bool stop = false;
        Task watching = scheduler.RunAsync(async () =>
        {
            while (!Volatile.Read(ref stop))
            {
                seen.Enqueue(Activity.Current);
                await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            }
        });
        await scheduler.RunAsync(async () =>
        {
            await using InMemoryServer server = InMemoryServer.Start(async (response, _) =>
            {
                for (int i = 0; i < 5; i++)
                    await Go.SleepAsync(TimeSpan.FromMilliseconds(2));
                await response.WriteAsync(Activity.Current!.Id!);
            });
            using HttpClient client = server.CreateClient();
            for (int i = 0; i < 3; i++)
                Assert.StartsWith("00-", await client.GetStringAsync("/"), StringComparison.Ordinal);
            Volatile.Write(ref stop, true);
            await watching;
        }).Within();
        Assert.Equal(3, _ended.Count);
        Assert.All(seen, Assert.Null);
    }

    [Fact]
    public async Task One_that_the_handler_has_not_stopped_does_not_become_the_parent_of_the_next()
    {
        Listen();
        await using var server = new TestServer((response, _) =>
        {
            new Activity("left behind").Start();
            return response.WriteAsync("ok");
        });
        using RawClient client = server.Connect();
        client.Exchange(Get());
        client.Exchange(Get());
        Bounded.Until(() => _ended.Count == 2, "both have ended");
        Assert.All(_ended, a => Assert.Null(a.ParentId));
    }

    [Fact]
    public async Task It_covers_what_a_handler_does_with_a_connection_that_it_has_taken_over()
    {
        Listen();
        await using var server = new TestServer(async (response, _) =>
        {
            await using HijackedStream stream = await response.UpgradeAsync("echo");
            byte[] buffer = new byte[10];
            while (await stream.ReadAsync(buffer) is > 0 and int n)
            {
                Assert.False(Activity.Current!.IsStopped);
                await stream.WriteAsync(buffer.AsMemory(0, n));
            }
        });
        using RawClient client = server.Connect();
        client.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nx");
        Assert.Equal(101, client.ReadAnyResponse().StatusCode);
        Assert.Equal([(byte)'x'], client.ReadExactly(1, out _));
        Assert.Empty(_ended);
        client.HalfClose();
        client.AssertClosed();
        Assert.Equal("Int32 101", Tag(Only(), "http.response.status_code"));
    }

    [Fact]
    public async Task It_ends_when_the_client_has_gone_away()
    {
        Listen();
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (_, request) =>
        {
            entered.SetResult();
            await Go.SleepAsync(Bounded.Limit, request.Aborted);
        });
        using RawClient client = server.Connect();
        client.Send(Get());
        await entered.Task.Within();
        client.Reset();
        Assert.Equal(ActivityStatusCode.Error, Only().Status);
    }
}
