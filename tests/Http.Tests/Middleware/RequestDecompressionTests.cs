using System.IO.Compression;
using System.Text;

namespace NetGo.Http.Tests;

/// <summary>Decompression of what clients send, and its limits.</summary>
public class RequestDecompressionTests
{
    private static byte[] Compress(string coding, byte[] content)
    {
        using var output = new MemoryStream();
        using (Stream compressor = coding switch
        {
            "br" => new BrotliStream(output, CompressionLevel.Optimal),
            "deflate" => new ZLibStream(output, CompressionLevel.Optimal),
            _ => new GZipStream(output, CompressionLevel.Optimal),
        })
            compressor.Write(content);
        return output.ToArray();
    }

    private static RawResponse Post(TestServer server, string coding, byte[] content)
    {
        using RawClient client = server.Connect();
        client.Send($"POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: {coding}\r\nContent-Length: {content.Length}\r\n\r\n");
        client.Send(content);
        return client.ReadResponse();
    }

    private static TestServer Serve(RequestDecompressionOptions? options = null) => new(new HandlerFunc(async (response, request) =>
    {
        Assert.False(request.Header.Contains("Content-Encoding") || request.Header.Contains("Content-Length"));
        Assert.Equal(-1, request.ContentLength);
        await Handlers.Echo(response, request);
    }).WithRequestDecompression(options));

    [Theory]
    [InlineData("gzip")]
    [InlineData("X-GZip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task Content_is_decompressed(string coding)
    {
        await using TestServer server = Serve();
        RawResponse response = Post(server, coding, Compress(coding, Encoding.ASCII.GetBytes("hello")));
        Assert.Equal(200, response.StatusCode);
        Assert.Equal("hello", response.Text);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task Content_that_is_cut_off_is_refused(string coding)
    {
        // The framing is whole, and what it holds is not: the handler must not take a part for all of it.
        await using TestServer server = Serve();
        byte[] random = new byte[10_000];
        new Random(1).NextBytes(random);
        byte[] whole = Compress(coding, random);
        foreach (int length in new[] { 1, 5, 20, whole.Length / 2, whole.Length - 1 })
        {
            RawResponse response = Post(server, coding, whole[..length]);
            Assert.True(response.StatusCode == 400, $"{response.StatusCode} for {length} of {whole.Length} bytes");
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task Content_is_whole_wherever_it_is_cut_into_pieces(string coding)
    {
        await using TestServer server = Serve();
        byte[] random = new byte[20_000];
        new Random(1).NextBytes(random);
        foreach (int length in new[] { 0, 1, 8191, 8192, 8193, 20_000 })
        {
            byte[] whole = Compress(coding, random[..length]);
            using RawClient client = server.Connect();
            client.Send($"POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: {coding}\r\nTransfer-Encoding: chunked\r\n\r\n");
            foreach (byte[] piece in whole.Chunk(3000))
            {
                client.Send($"{piece.Length:x}\r\n");
                client.Send(piece);
                client.Send("\r\n");
            }
            client.Send("0\r\n\r\n");
            Assert.Equal(random[..length], client.ReadResponse().Content);
        }
    }

    [Fact]
    public async Task Gzip_may_have_several_members()
    {
        await using TestServer server = Serve();
        byte[] members = [.. Compress("gzip", "hello "u8.ToArray()), .. Compress("gzip", "world"u8.ToArray())];
        Assert.Equal("hello world", Post(server, "gzip", members).Text);
        Assert.Equal(400, Post(server, "gzip", members[..^3]).StatusCode);
    }

    [Theory]
    [InlineData("zstd")]
    [InlineData("gzip, gzip")]
    [InlineData("")]
    public async Task Other_codings_are_refused_with_those_that_are_known(string coding)
    {
        await using TestServer server = Serve();
        RawResponse response = Post(server, coding, [1, 2, 3]);
        Assert.Equal(415, response.StatusCode);
        Assert.Equal("br, gzip, deflate", response.Get("Accept-Encoding"));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task Bombs_and_too_much_and_garbage_are_refused(string coding)
    {
        byte[] bomb = Compress(coding, new byte[20_000_000]);
        await using TestServer server = Serve();
        Assert.Equal(413, Post(server, coding, bomb).StatusCode);
        await using TestServer small = Serve(new RequestDecompressionOptions { MaxDecompressedSize = 100 });
        Assert.Equal(200, Post(small, coding, Compress(coding, new byte[100])).StatusCode);
        Assert.Equal(413, Post(small, coding, Compress(coding, new byte[101])).StatusCode);
        Assert.Equal(400, Post(server, coding, Encoding.ASCII.GetBytes("this is not compressed")).StatusCode);
        await using TestServer generous = Serve(new RequestDecompressionOptions { MaxRatio = 10_000_000 });
        Assert.Equal(200, Post(generous, coding, bomb).StatusCode);
    }
}
