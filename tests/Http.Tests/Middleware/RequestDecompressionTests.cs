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
