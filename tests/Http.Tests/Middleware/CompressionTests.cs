using System.IO.Compression;
using System.Text;

namespace NetGo.Http.Tests;

/// <summary>Compression of answers, on the wire.</summary>
public class CompressionTests
{
    private static readonly string s_text = string.Concat(Enumerable.Repeat("a text that repeats itself. ", 1000));

    private static string Get(string accepted, string method = "GET", string fields = "") =>
        $"{method} / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: {accepted}\r\n{fields}\r\n";

    private static TestServer Serve(Func<ResponseWriter, Request, ValueTask> handler, Action<CompressionOptions>? configure = null)
    {
        var options = new CompressionOptions();
        configure?.Invoke(options);
        return new TestServer(new HandlerFunc(handler).WithCompression(options));
    }

    private static string Decompressed(RawResponse response)
    {
        using var content = new MemoryStream(response.Content);
        using Stream decompressor = response.Get("Content-Encoding") switch
        {
            "br" => new BrotliStream(content, CompressionMode.Decompress),
            "gzip" => new GZipStream(content, CompressionMode.Decompress),
            _ => content,
        };
        return new StreamReader(decompressor).ReadToEnd();
    }

    private static void SetText(ResponseWriter response) => response.Header.Set("Content-Type", "text/plain; charset=utf-8");

    [Theory]
    [InlineData("gzip", "gzip")]
    [InlineData("x-gzip", "gzip")]
    [InlineData("gzip, br", "br")]
    [InlineData("gzip, br;q=0.9", "gzip")]
    [InlineData("*", "br")]
    [InlineData("br;q=0, *;q=0.1", "gzip")]
    [InlineData("identity, gzip;q=0.9", null)]
    [InlineData("gzip;q=0", null)]
    [InlineData("gzip;q=x", null)]
    [InlineData("deflate", null)]
    [InlineData("", null)]
    public async Task The_coding_that_the_client_prefers_is_used(string accepted, string? coding)
    {
        await using TestServer server = Serve((response, request) =>
        {
            SetText(response);
            return response.WriteAsync(s_text);
        });
        RawResponse response = server.Exchange(Get(accepted));
        Assert.Equal(coding, response.Get("Content-Encoding"));
        Assert.Equal("Accept-Encoding", response.Get("Vary"));
        Assert.Equal(s_text, Decompressed(response));
        Assert.Equal(coding is not null, response.Content.Length < s_text.Length / 10);
    }

    [Fact]
    public async Task What_has_a_length_and_a_tag_loses_the_length_and_has_a_weak_tag_for_Get_and_Head()
    {
        await using TestServer server = Serve((response, request) =>
        {
            SetText(response);
            response.Header.Set("ETag", "\"v1\"");
            return response.ServeContentAsync(request, "a.txt", null, new MemoryStream(Encoding.ASCII.GetBytes(s_text)));
        });
        foreach (string method in new[] { "GET", "HEAD" })
        {
            RawResponse response = server.Exchange(Get("gzip", method));
            Assert.Equal("W/\"v1\"", response.Get("ETag"));
            Assert.Equal("gzip", response.Get("Content-Encoding"));
            Assert.False(response.Has("Accept-Ranges"));
            if (method == "GET")
                Assert.Equal(s_text, Decompressed(response));
            else
                Assert.False(response.Has("Content-Length"));
        }
        RawResponse notModified = server.Exchange(Get("gzip", fields: "If-None-Match: W/\"v1\"\r\n"));
        Assert.Equal(304, notModified.StatusCode);
        Assert.Equal("W/\"v1\"", notModified.Get("ETag"));
        Assert.Equal("Accept-Encoding", notModified.Get("Vary"));
        RawResponse part = server.Exchange(Get("gzip", fields: "Range: bytes=0-5\r\n"));
        Assert.Equal(206, part.StatusCode);
        Assert.Equal("a text", part.Text);
        Assert.False(part.Has("Content-Encoding"));
    }

    [Theory]
    [InlineData("Content-Encoding", "zstd")]
    [InlineData("Content-Type", "image/png")]
    [InlineData("Cache-Control", "public, no-transform")]
    [InlineData("Content-Range", "bytes 0-9/10")]
    public async Task Some_answers_are_left_as_they_are(string name, string value)
    {
        await using TestServer server = Serve((response, request) =>
        {
            SetText(response);
            response.Header.Set(name, value);
            return response.WriteAsync(s_text);
        });
        Assert.Equal(s_text, server.Exchange(Get("gzip")).Text);
    }

    [Theory]
    [InlineData("gzip", null)]
    [InlineData("gzip, identity;q=0", "gzip")]
    public async Task Short_content_is_sent_as_it_is_unless_the_client_refuses_that(string accepted, string? coding)
    {
        await using TestServer server = Serve(async (response, request) =>
        {
            SetText(response);
            response.WriteHeader(201);
            response.Header.Set("X-Late", "1");
            "ab"u8.CopyTo(response.GetSpan(2));
            response.Advance(2);
            await response.WriteAsync("cd");
        });
        RawResponse response = server.Exchange(Get(accepted));
        Assert.Equal(201, response.StatusCode);
        Assert.Equal(coding, response.Get("Content-Encoding"));
        Assert.Equal("abcd", Decompressed(response));
        Assert.False(response.Has("X-Late"), "Fields that are set after the head are not sent.");
    }

    [Fact]
    public async Task No_content_stays_no_content()
    {
        await using TestServer server = Serve((response, request) =>
        {
            SetText(response);
            response.WriteHeader(204);
            return default;
        });
        RawResponse response = server.Exchange(Get("gzip"));
        Assert.Equal(204, response.StatusCode);
        Assert.False(response.Has("Content-Encoding"));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task A_flush_sends_what_was_written_until_then(string coding)
    {
        var received = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = Serve(
            async (response, request) =>
            {
                response.Header.Set("Content-Type", "text/event-stream");
                await response.WriteAsync("data: 1\n\n");
                await response.FlushAsync();
                await received.Task;
                await response.WriteAsync("data: 2\n\n");
            },
            options => options.MediaTypes.Add("text/event-stream"));
        using var client = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethodsOf(coding) });
        await using Stream stream = await client.GetStreamAsync(new Uri($"http://{server.EndPoint}/")).Within();
        byte[] first = new byte[9];
        await stream.ReadExactlyAsync(first).AsTask().Within();
        Assert.Equal("data: 1\n\n", Encoding.ASCII.GetString(first));
        received.SetResult();
        Assert.Equal("data: 2\n\n", await new StreamReader(stream).ReadToEndAsync().Within());
    }

    private static System.Net.DecompressionMethods DecompressionMethodsOf(string coding) =>
        coding == "br" ? System.Net.DecompressionMethods.Brotli : System.Net.DecompressionMethods.GZip;

    [Fact]
    public async Task A_file_is_compressed_too_and_a_handler_that_throws_gives_no_whole_answer()
    {
        using FileTree tree = new FileTree().With("a.txt", s_text);
        await using var server = new TestServer(NetGo.Http.Handlers.FileServer(tree.Root).WithCompression());
        RawResponse response = server.Exchange("GET /a.txt HTTP/1.1\r\nHost: h\r\nAccept-Encoding: br\r\n\r\n");
        Assert.Equal("br", response.Get("Content-Encoding"));
        Assert.Equal(s_text, Decompressed(response));
        await using TestServer failing = Serve(async (response, request) =>
        {
            SetText(response);
            await response.WriteAsync(s_text);
            throw new InvalidTimeZoneException();
        });
        Assert.Equal(500, failing.Exchange(Get("gzip")).StatusCode);
    }
}
