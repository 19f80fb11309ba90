namespace NetGo.Http.Tests;

/// <summary>Handlers that wait, in all the ways that .NET code waits: none of them stops the others.</summary>
public class HandlerWaitTests
{
    public static TheoryData<string> Waits => [.. s_waits.Keys];

    private static readonly Dictionary<string, Func<ValueTask>> s_waits = new()
    {
        ["Task.Delay"] = async () => await Task.Delay(5),
        ["Task.Delay, no context"] = async () => await Task.Delay(5).ConfigureAwait(false),
        ["Go.SleepAsync"] = async () => await Go.SleepAsync(TimeSpan.FromMilliseconds(5)),
        ["Go.YieldAsync"] = async () => await Go.YieldAsync(),
        ["Task.Yield"] = async () => await Task.Yield(),
        ["thread pool"] = async () => await Task.Run(() => Thread.Sleep(5)).ConfigureAwait(false),
        ["foreign thread, then our timer"] = async () =>
        {
            await Task.Run(() => Thread.Sleep(1)).ConfigureAwait(false);
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            await Task.Delay(1).ConfigureAwait(false);
        },
        ["semaphore"] = async () =>
        {
            using var semaphore = new SemaphoreSlim(0);
            _ = Task.Run(() => semaphore.Release());
            await semaphore.WaitAsync();
        },
        ["Thread.Sleep"] = () =>
        {
            Thread.Sleep(5);
            return default;
        },
        ["Result of Task.Delay"] = () =>
        {
            _ = DelayAsync().Result;
            return default;
        },
        ["Wait on Go.SleepAsync"] = () =>
        {
            SleepAsync().Wait();
            return default;
        },
        ["GetResult of a continuation that needs the context"] = () =>
        {
            YieldOftenAsync().GetAwaiter().GetResult();
            return default;
        },
    };

    [Theory]
    [MemberData(nameof(Waits))]
    public async Task Many_handlers_at_once_that_wait_are_all_answered(string wait)
    {
        Func<ValueTask> waiting = s_waits[wait];
        await using var server = new TestServer(async (response, request) =>
        {
            await waiting();
            await response.WriteAsync(request.Path);
            await waiting();
        });
        RawClient[] clients = [.. Enumerable.Range(0, 32).Select(_ => server.Connect())];
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < clients.Length; i++)
                clients[i].Send($"GET /{round}-{i} HTTP/1.1\r\nHost: h\r\n\r\n");
            for (int i = 0; i < clients.Length; i++)
                Assert.Equal($"/{round}-{i}", clients[i].ReadResponse().Text);
        }

        foreach (RawClient client in clients)
            client.Dispose();
    }

    [Fact]
    public async Task Handlers_that_block_their_threads_do_not_stop_the_others()
    {
        using var go = new ManualResetEventSlim();
        using var entered = new CountdownEvent(8);
        await using var server = new TestServer((response, request) =>
        {
            if (request.Path == "/block")
            {
                entered.Signal();
                go.Wait();
            }

            return response.WriteAsync(request.Path);
        });
        RawClient[] blocked = [.. Enumerable.Range(0, 8).Select(_ => server.Connect())];
        RawClient[] others = [.. Enumerable.Range(0, 50).Select(_ => server.Connect())];
        try
        {
            foreach (RawClient client in others)
                Assert.Equal("/before", client.Exchange("GET /before HTTP/1.1\r\nHost: h\r\n\r\n").Text);
            foreach (RawClient client in blocked)
                client.Send("GET /block HTTP/1.1\r\nHost: h\r\n\r\n");
            Assert.True(entered.Wait(RawClient.BoundMilliseconds), "Handlers that block keep others from starting.");
            foreach (RawClient client in others)
                Assert.Equal("/while", client.Exchange("GET /while HTTP/1.1\r\nHost: h\r\n\r\n").Text);
            server.AssertAlive();
        }
        finally
        {
            go.Set();
        }

        foreach (RawClient client in blocked)
        {
            Assert.Equal("/block", client.ReadResponse().Text);
            Assert.Equal("/after", client.Exchange("GET /after HTTP/1.1\r\nHost: h\r\n\r\n").Text);
            client.Dispose();
        }

        foreach (RawClient client in others)
            client.Dispose();
    }

    [Fact]
    public async Task A_handler_that_spins_does_not_stop_the_others()
    {
        bool go = false;
        await using var server = new TestServer((response, request) =>
        {
            while (request.Path == "/spin" && !Volatile.Read(ref go))
                Thread.SpinWait(100);
            return response.WriteAsync(request.Path);
        });
        RawClient[] spinning = [.. Enumerable.Range(0, 2).Select(_ => server.Connect())];
        try
        {
            foreach (RawClient client in spinning)
                client.Send("GET /spin HTTP/1.1\r\nHost: h\r\n\r\n");
            for (int i = 0; i < 10; i++)
                server.AssertAlive();
        }
        finally
        {
            Volatile.Write(ref go, true);
        }

        foreach (RawClient client in spinning)
        {
            Assert.Equal("/spin", client.ReadResponse().Text);
            client.Dispose();
        }
    }

    [Fact]
    public async Task A_handler_may_use_HttpClient_on_its_own_server()
    {
        TestServer? self = null;
        using var http = new HttpClient();
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path != "/outer")
            {
                await response.WriteAsync("inner");
                return;
            }

            string inner = await http.GetStringAsync(new Uri($"http://{self!.EndPoint}/inner")).ConfigureAwait(false);
            await response.WriteAsync(inner + " and outer");
        });
        self = server;
        for (int i = 0; i < 20; i++)
            Assert.Equal("inner and outer", await http.GetStringAsync(new Uri($"http://{server.EndPoint}/outer")).WaitAsync(TestServer.Bound));
    }

    [Fact]
    public async Task A_handler_sees_its_AsyncLocal_values_and_those_of_no_other()
    {
        var local = new AsyncLocal<string?>();
        await using var server = new TestServer(async (response, request) =>
        {
            string before = local.Value ?? "none";
            local.Value = request.Path;
            await Task.Yield();
            await Go.YieldAsync();
            await response.WriteAsync($"{before} {local.Value}");
        });
        using RawClient client = server.Connect();
        for (int i = 0; i < 5; i++)
            Assert.Equal($"none /{i}", client.Exchange($"GET /{i} HTTP/1.1\r\nHost: h\r\n\r\n").Text);
        client.Send(string.Concat(Enumerable.Range(0, 5).Select(i => $"GET /{i} HTTP/1.1\r\nHost: h\r\n\r\n")));
        for (int i = 0; i < 5; i++)
            Assert.Equal($"none /{i}", client.ReadResponse().Text);
    }

    private static async Task<int> DelayAsync()
    {
        await Task.Delay(5);
        return 1;
    }

    private static async Task SleepAsync() => await Go.SleepAsync(TimeSpan.FromMilliseconds(5));

    private static async Task YieldOftenAsync()
    {
        for (int i = 0; i < 5; i++)
            await Task.Yield();
    }
}
