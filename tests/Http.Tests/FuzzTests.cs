using System.Globalization;
using System.Text;
using NetGo.Fuzz;

namespace NetGo.Http.Tests;

/// <summary>Requests that are almost right, over sockets; tests/Fuzz does it in memory, and more of it. The seed is printed; NETGO_FUZZ_SEED sets it, NETGO_FUZZ_CASES the number.</summary>
public class FuzzTests(ITestOutputHelper output)
{
    private static readonly string[] s_corpus =
    [
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a/b%20c?d=e HTTP/1.1\r\nHost: example.com:80\r\nUser-Agent: fuzz\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n",
        "HEAD /head HTTP/1.1\r\nHost: h\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
        "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
        "GET http://target.example/p?q HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello world",
        "POST /skip HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello worldGET /next HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n006\r\n world\r\n0\r\nX: y\r\n\r\n",
        "POST /skip HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\nGET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "GET /flush HTTP/1.1\r\nHost: [::1]:80\r\nCookie: a=b; c=d\r\nAccept-Encoding: gzip, br\r\nX: \t\x80\xff \r\n\r\n",
    ];

    [Fact]
    public async Task The_corpus_is_understood_as_the_reference_does_wherever_it_is_cut()
    {
        using var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1 });
        await scheduler.RunAsync(async () =>
        {
            var checker = new Checker(scheduler);
            foreach (byte[] message in (byte[][])[.. Corpus.Messages, .. Corpus.LongMessages])
                await checker.CheckAsync(message, Corpus.EveryCut(message));
        }).Within();
    }

    [Fact]
    public async Task Whatever_comes_is_answered_legally_or_the_connection_ends()
    {
        int seed = Setting("NETGO_FUZZ_SEED", Environment.TickCount);
        int cases = Setting("NETGO_FUZZ_CASES", 3000);
        output.WriteLine($"NETGO_FUZZ_SEED={seed} NETGO_FUZZ_CASES={cases}");
        var random = new Random(seed);
        var mutator = new Mutator(random, [.. s_corpus.Select(Encoding.Latin1.GetBytes)]);
        await using var server = new TestServer(Handle, s =>
        {
            s.MaxRequestBodySize = 100_000;
            s.MaxRequestLineSize = 1000;
            s.MaxHeaderBytes = 4000;
            s.ReadHeaderTimeout = s.ReadTimeout = TimeSpan.FromSeconds(3);
        });
        using RawClient normal = server.Connect();
        for (int i = 0; i < cases; i++)
        {
            byte[] message = mutator.Next();
            try
            {
                using RawClient client = server.Connect();
                SendInPieces(client, message, random);
                client.HalfClose();
                AssertLegal(client.ReadToEnd());
                Assert.Equal("/normal", normal.Exchange("GET /normal HTTP/1.1\r\nHost: h\r\n\r\n").Text);
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"seed {seed}, case {i}, {message.Length} bytes, base64: {Convert.ToBase64String(message)}", exception);
            }
        }

        normal.Dispose();
        Assert.True(SpinWait.SpinUntil(() => server.Server.ConnectionCount == 0, RawClient.BoundMilliseconds), $"{server.Server.ConnectionCount} connections are left open.");
        // Nothing in these messages is the handler's fault.
        Assert.DoesNotContain(server.Log.Entries, entry => entry.Exception is not (null or IOException or TimeoutException));
    }

    [Fact]
    public async Task Answers_do_not_depend_on_how_the_bytes_fall_into_reads()
    {
        int seed = Setting("NETGO_FUZZ_SEED", Environment.TickCount);
        output.WriteLine($"NETGO_FUZZ_SEED={seed}");
        var random = new Random(seed);
        await using var server = new TestServer(Handle);
        foreach (string message in s_corpus)
        {
            string? expected = null;
            for (int round = 0; round < 30; round++)
            {
                using RawClient client = server.Connect();
                byte[] bytes = Encoding.Latin1.GetBytes(message);
                if (round == 0)
                    client.Send(bytes);
                else
                    SendInPieces(client, bytes, random);
                client.HalfClose();
                string answers = string.Join('\n', Encoding.Latin1.GetString(client.ReadToEnd()).Split("\r\n")
                    .Where(line => !line.StartsWith("Date:", StringComparison.OrdinalIgnoreCase)));
                // An interim response may be left out when the content is there already.
                answers = answers.Replace("HTTP/1.1 100 Continue\n\n", "", StringComparison.Ordinal);
                expected ??= answers;
                Assert.True(expected == answers, $"seed {seed}: {message}\n{expected}\n----\n{answers}");
            }

            Assert.StartsWith("HTTP/1.1 200", expected, StringComparison.Ordinal);
        }
    }

    private static async ValueTask Handle(ResponseWriter response, Request request)
    {
        // Everything a handler may ask a request for.
        _ = request.Method + request.Target + request.Query + request.Host + request.Protocol + request.ContentLength;
        foreach (KeyValuePair<string, string> field in request.Header)
            _ = request.Header.Get(field.Key)!.Length + field.Value.Length;
        switch (request.Path)
        {
            case "/echo":
                await Handlers.Echo(response, request);
                break;
            case "/flush":
                await response.WriteAsync("a");
                await response.FlushAsync();
                await response.WriteAsync("b");
                break;
            default:
                await response.WriteAsync(request.Path);
                break;
        }
    }

    private static void SendInPieces(RawClient client, byte[] message, Random random)
    {
        int pieces = random.Next(1, 5);
        for (int start = 0; start < message.Length;)
        {
            int end = --pieces <= 0 ? message.Length : random.Next(start, message.Length) + 1;
            client.SendAnyway(Encoding.Latin1.GetString(message, start, end - start));
            start = end;
        }
    }

    private static void AssertLegal(byte[] answers)
    {
        if (answers.Length == 0)
            return;
        string text = Encoding.Latin1.GetString(answers);
        int lineEnd = text.IndexOf("\r\n", StringComparison.Ordinal);
        Assert.True(lineEnd > 0, text);
        RawResponse response = RawResponse.FromStatusLine(text[..lineEnd]);
        Assert.NotEqual(500, response.StatusCode);
        Assert.Contains("\r\n\r\n", text, StringComparison.Ordinal);
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) ? value : otherwise;
}
