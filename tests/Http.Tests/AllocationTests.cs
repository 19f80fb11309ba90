using System.Diagnostics.Metrics;
using System.Text;
using NetGo.Http.Tests.Telemetry;

namespace NetGo.Http.Tests;

/// <summary>Tests that need the process to themselves.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public class Alone;

/// <summary>Requests in steady state allocate nothing.</summary>
[Collection(nameof(Alone))]
public class AllocationTests
{
    private static readonly byte[] s_hello = "Hello, World!"u8.ToArray();

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task A_plaintext_request_allocates_nothing(int pipelined)
    {
        await using var server = new TestServer(Plaintext);
        await MeasureAsync(server, "GET /plaintext HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n", pipelined);
    }

    [Fact]
    public async Task A_plaintext_request_through_a_ServeMux_allocates_nothing()
    {
        var mux = new ServeMux();
        mux.HandleFunc("GET /plaintext", Plaintext);
        mux.HandleFunc("GET /users/{id}", Plaintext);
        mux.HandleFunc("/", Plaintext);
        await using var server = new TestServer(mux);
        await MeasureAsync(server, "GET /plaintext HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n", 1);
        await MeasureAsync(server, "GET /users/123 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n", 1);
    }

    [Fact]
    public async Task Nor_does_one_that_is_measured()
    {
        using var factory = new TestMeterFactory();
        using var listener = new MeterListener();
        long measured = 0;
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Scope == factory)
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => measured++);
        listener.Start();
        var mux = new ServeMux();
        mux.HandleFunc("GET /users/{id}", Plaintext);
        await using var server = new TestServer(mux, s => s.MeterFactory = factory);
        await MeasureAsync(server, "GET /users/123 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n", 1);
        await using var withoutRoutes = new TestServer(Plaintext, s => s.MeterFactory = factory);
        await MeasureAsync(withoutRoutes, "GET /plaintext HTTP/1.1\r\nHost: localhost\r\n\r\n", 16);
        Assert.True(measured > 40_000, $"{measured} requests were measured");
    }

    private static ValueTask Plaintext(ResponseWriter response, Request request)
    {
        response.Header.Set("Content-Type", "text/plain");
        return response.WriteAsync(s_hello);
    }

    private static async Task MeasureAsync(TestServer server, string request, int pipelined)
    {
        const int warmUp = 5_000;
        const int count = 20_000;
        using RawClient client = server.Connect();
        byte[] requests = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(request, pipelined)));
        byte[] buffer = new byte[64 * 1024];

        client.Send(requests);
        int responseLength = client.ReadToLastContent(s_hello, pipelined);
        Exchange(warmUp);
        const long enough = 2L * count;
        long least = await Allocated.LeastAsync(
            () =>
            {
                Exchange(count);
                return Task.CompletedTask;
            },
            enough);
        Assert.True(least < enough, $"at least {least} bytes for {count} requests");

        void Exchange(int number)
        {
            for (int i = 0; i < number; i += pipelined)
            {
                client.Socket.Send(requests);
                for (int received = 0; received < responseLength;)
                {
                    int length = client.Socket.Receive(buffer);
                    if (length == 0)
                        throw new EndOfStreamException();
                    received += length;
                }
            }
        }
    }
}
