namespace NetGo.Http.Tests.Telemetry;

/// <summary>What a handler leaves in the execution context is not there for the next request of its connection, nor for others on its thread.</summary>
public class ExecutionContextTests
{
    private static readonly AsyncLocal<string?> s_local = new();

    private const string Request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    private static void AssertNothingSeen(TestServer server)
    {
        using RawClient client = server.Connect();
        Assert.Equal("nothing", client.Exchange(Request).Text);
        Assert.Equal("nothing", client.Exchange(Request).Text);
        client.Send(Request + Request + Request); // pipelined: without a wait between them
        for (int i = 0; i < 3; i++)
            Assert.Equal("nothing", client.ReadResponse().Text);
        Assert.Equal("nothing", server.Exchange(Request).Text);
    }

    private static string Seen()
    {
        string seen = s_local.Value ?? "nothing";
        s_local.Value = "left behind";
        return seen;
    }

    [Fact]
    public async Task Of_a_handler_that_ends_at_once()
    {
        await using var server = new TestServer((response, _) => response.WriteAsync(Seen()));
        AssertNothingSeen(server);
    }

    // Not an async method: what it sets is set where it is called.
    [Fact]
    public async Task Of_a_handler_that_ends_later()
    {
        await using var server = new TestServer((response, _) =>
        {
            string seen = Seen();
            return EndAsync(response, seen);
        });
        AssertNothingSeen(server);

        static async ValueTask EndAsync(ResponseWriter response, string seen)
        {
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            Assert.Equal("left behind", s_local.Value); // in the request itself it flows
            await response.WriteAsync(seen);
        }
    }

    [Fact]
    public async Task Of_a_handler_that_throws()
    {
        await using var server = new TestServer(async (response, _) =>
        {
            try
            {
                await new HandlerFunc((_, _) => throw new FormatException(Seen())).ServeHttpAsync(response, null!);
            }
            catch (FormatException e)
            {
                await response.WriteAsync(e.Message);
            }
        });
        AssertNothingSeen(server);
    }
}
