using System.Text;

namespace NetGo.Http.Tests;

/// <summary>RFC 9112, section 9.3.2, and how the bytes of requests fall into reads.</summary>
public class PipeliningTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(100)]
    [InlineData(10_000)]
    public async Task Requests_sent_at_once_are_answered_in_order(int count)
    {
        await using var server = new TestServer(Handlers.Path);
        using RawClient client = server.Connect();
        byte[] requests = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, count).Select(i => $"GET /{i} HTTP/1.1\r\nHost: h\r\n\r\n")));
        Task sending = Task.Run(() => client.Send(requests));
        for (int i = 0; i < count; i++)
            Assert.Equal($"/{i}", client.ReadResponse().Text);
        await sending.WaitAsync(TestServer.Bound);
    }

    [Fact]
    public async Task Answers_do_not_wait_until_the_client_has_sent_all()
    {
        // Neither end reads while the other does not: 10,000 answers of 1 KB fill all buffers between them.
        await using var server = new TestServer((response, request) => response.WriteAsync(request.Path + new string('x', 1000)));
        using RawClient client = server.Connect();
        byte[] requests = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 10_000).Select(i => $"GET /{i} HTTP/1.1\r\nHost: h\r\n\r\n")));
        Task sending = Task.Run(() => client.Send(requests));
        for (int i = 0; i < 10_000; i++)
            Assert.StartsWith($"/{i}x", client.ReadResponse().Text, StringComparison.Ordinal);
        await sending.WaitAsync(TestServer.Bound);
    }

    [Fact]
    public async Task Requests_with_content_between_others_are_answered_in_order()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            await response.WriteAsync(request.Path + ":");
            await Handlers.Stream(response, request);
        });
        using RawClient client = server.Connect();
        var requests = new StringBuilder();
        var expected = new List<string>();
        for (int i = 0; i < 1000; i++)
        {
            string content = new((char)('a' + i % 26), i % 7 * (i % 11 == 0 ? 3000 : 1));
            requests.Append((i % 3) switch
            {
                0 => $"GET /{i} HTTP/1.1\r\nHost: h\r\n\r\n",
                1 => $"POST /{i} HTTP/1.1\r\nHost: h\r\nContent-Length: {content.Length}\r\n\r\n{content}",
                _ => $"PUT /{i} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{(content.Length > 0 ? $"{content.Length:x}\r\n{content}\r\n" : "")}0\r\n\r\n",
            });
            expected.Add($"/{i}:" + (i % 3 == 0 ? "" : content));
        }

        Task sending = Task.Run(() => client.Send(requests.ToString()));
        foreach (string text in expected)
            Assert.Equal(text, client.ReadResponse().Text);
        await sending.WaitAsync(TestServer.Bound);
    }

    [Fact]
    public async Task Answers_keep_their_order_when_handlers_wait()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            int number = int.Parse(request.Path.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture);
            if (number % 7 == 3)
                await Task.Yield();
            if (number % 50 == 17)
                await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
            if (number % 50 == 33)
                await Task.Delay(1).ConfigureAwait(false);
            await response.WriteAsync(request.Path);
        });
        using RawClient client = server.Connect();
        Task sending = Task.Run(() => client.Send(string.Concat(Enumerable.Range(0, 1000).Select(i => $"GET /{i} HTTP/1.1\r\nHost: h\r\n\r\n"))));
        for (int i = 0; i < 1000; i++)
            Assert.Equal($"/{i}", client.ReadResponse().Text);
        await sending.WaitAsync(TestServer.Bound);
    }

    [Fact]
    public async Task Early_answers_are_sent_while_a_later_handler_waits()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path == "/late")
                await go.Task;
            await response.WriteAsync(request.Path);
        });
        using RawClient client = server.Connect();
        client.Send("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\nGET /late HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal("/a", client.ReadResponse().Text);
        Assert.Equal("/b", client.ReadResponse().Text);
        go.SetResult();
        Assert.Equal("/late", client.ReadResponse().Text);
    }

    [Fact]
    public async Task Early_answers_are_sent_while_a_later_request_is_incomplete()
    {
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        client.Send("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTT");
        Assert.Equal(200, client.ReadResponse().StatusCode);
        client.Send("P/1.1\r\nHost: h\r\n\r\nPOST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel");
        Assert.Equal(200, client.ReadResponse().StatusCode);
        client.Send("lo");
        Assert.Equal("hello", client.ReadResponse().Text);
    }

    [Fact]
    public async Task Answers_before_a_refused_request_are_sent()
    {
        await using var server = new TestServer(Handlers.Path);
        using RawClient client = server.Connect();
        client.SendAnyway("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\nnonsense\r\n\r\nGET /c HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal("/a", client.ReadResponse().Text);
        Assert.Equal("/b", client.ReadResponse().Text);
        Assert.Equal(400, client.ReadResponse().StatusCode);
        client.AssertClosed();
    }

    [Fact]
    public async Task A_request_may_come_byte_by_byte()
    {
        await using var server = new TestServer(Handlers.Describe);
        using RawClient client = server.Connect();
        const string request = "GET http://target.example/a%20b?c HTTP/1.1\r\nHost: h\r\nUser-Agent: test\r\nX: \t y\r\n\r\n";
        for (int round = 0; round < 2; round++)
        {
            foreach (char character in request)
                client.Send(character.ToString());
            Assert.Equal("GET\nhttp://target.example/a%20b?c\n/a b\nc\ntarget.example\nHTTP/1.1", client.ReadResponse().Text);
        }
    }

    [Fact]
    public async Task Two_requests_may_be_split_anywhere()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            await response.WriteAsync($"{request.Method} {request.Path} {request.Header["X"]} ");
            await Handlers.Stream(response, request);
        });
        using RawClient other = server.Connect();
        const string requests = "POST /a HTTP/1.1\r\nHost: h\r\nX: one\r\nContent-Length: 5\r\n\r\nhello" +
            "PUT /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nX: two\r\n\r\n3;x\r\nabc\r\n2\r\nde\r\n0\r\nT: t\r\n\r\n";
        for (int split = 1; split < requests.Length; split++)
        {
            using RawClient client = server.Connect();
            client.Send(requests[..split]);
            // An exchange on another connection gives the server the time to read the first part by itself.
            other.Exchange("GET /alive HTTP/1.1\r\nHost: h\r\n\r\n");
            client.Send(requests[split..]);
            string first = client.ReadResponse().Text;
            string second = client.ReadResponse().Text;
            Assert.True(first == "POST /a one hello" && second == "PUT /b two abcde", $"split at {split}: {first}, {second}");
        }
    }

    [Fact]
    public async Task Malformed_requests_are_refused_wherever_they_are_split()
    {
        await using var server = new TestServer(Handlers.Ok);
        using RawClient other = server.Connect();
        const string request = "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n";
        for (int split = 1; split < request.Length; split++)
        {
            using RawClient client = server.Connect();
            client.Send(request[..split]);
            other.Exchange("GET /alive HTTP/1.1\r\nHost: h\r\n\r\n");
            client.SendAnyway(request[split..]);
            Assert.True(client.ReadResponse().StatusCode == 400, $"split at {split}");
            client.AssertClosed();
        }
    }

    [Fact]
    public async Task What_a_handler_has_begun_after_a_flush_is_not_sent_ahead()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        string content = new('x', 4000);
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path == "/first")
                return;
            await response.FlushAsync(); // takes the first answer along
            await response.WriteAsync(content); // a chunk whose size is not known yet
            await gate.Task;
        });
        using RawClient client = server.Connect();
        client.Send("GET /first HTTP/1.1\r\nHost: h\r\n\r\nGET /second HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal(200, client.ReadAnyResponse().StatusCode);
        gate.SetResult();
        Assert.Equal(content, client.ReadAnyResponse().Text);
    }
}
