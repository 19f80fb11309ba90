using System.Collections.Concurrent;
using System.Diagnostics.Tracing;
using System.Globalization;

namespace NetGo.Http.Tests.Telemetry;

/// <summary>The event source NetGo-Http. Whoever listens hears of all servers of the process: so alone.</summary>
[Collection(nameof(Alone))]
public sealed class EventTests : IDisposable
{
    private readonly Recorder _recorder = new();

    public void Dispose() => _recorder.Dispose();

    private sealed class Recorder : EventListener
    {
        private readonly ConcurrentQueue<string> _all = new();

        public IEnumerable<string> All => _all;

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "NetGo-Http")
                EnableEvents(eventSource, EventLevel.Informational);
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData) =>
            _all.Enqueue(string.Join(' ', [eventData.EventName, .. eventData.Payload!.Skip(1).Select(p => p is double ? "time" : Convert.ToString(p, CultureInfo.InvariantCulture))]));
    }

    private void AssertTold(params string[] expected)
    {
        Bounded.Until(() => _recorder.All.Count() >= expected.Length, "all is told: " + string.Join("; ", _recorder.All));
        Assert.Equal(expected, _recorder.All);
    }

    [Fact]
    public async Task Connections_and_requests_are_told_of()
    {
        var mux = new ServeMux();
        mux.HandleFunc("/users/{id}", Handlers.Ok);
        await using var server = new TestServer(mux);
        using RawClient client = server.Connect();
        client.Exchange("GET /users/1?secret HTTP/1.1\r\nHost: h\r\n\r\n");
        client.Exchange("POST /other HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
        string from = client.Socket.LocalEndPoint!.ToString()!;
        client.Dispose();
        AssertTold(
            $"ConnectionStart {from}", "RequestStart GET /users/1", "RequestStop /users/{id} 200  time", "RequestStart POST /other", "RequestStop  404  time",
            "ConnectionStop");
    }

    [Fact]
    public async Task So_are_failures_and_refusals()
    {
        await using var server = new TestServer((_, _) => throw new FormatException());
        using RawClient client = server.Connect();
        client.Exchange("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
        client.Exchange("GET /b HTTP/1.1\r\n\r\n");
        client.AssertClosed();
        AssertTold(
            $"ConnectionStart {client.Socket.LocalEndPoint}", "RequestStart GET /a", "RequestStop  500 System.FormatException time",
            $"BadRequest 400 {_recorder.All.ElementAt(3)["BadRequest 400 ".Length..]}", "ConnectionStop");
    }

    [Fact]
    public async Task One_that_is_taken_over_ends_when_it_is_closed()
    {
        await using var server = new TestServer(async (response, _) =>
        {
            await using HijackedStream stream = await response.HijackAsync();
            await stream.ReadExactlyAsync(new byte[1]);
        });
        using RawClient client = server.Connect();
        client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        AssertTold($"ConnectionStart {client.Socket.LocalEndPoint}", "RequestStart GET /", "RequestStop  0  time");
        client.Send("x");
        client.AssertClosed();
        AssertTold($"ConnectionStart {client.Socket.LocalEndPoint}", "RequestStart GET /", "RequestStop  0  time", "ConnectionStop");
    }

    [Fact]
    public void The_source_is_well_formed() => Assert.NotNull(EventSource.GenerateManifest(typeof(HttpEventSource), null, EventManifestOptions.Strict));
}
