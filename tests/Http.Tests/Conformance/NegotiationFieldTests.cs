using System.IO.Compression;

namespace NetGo.Http.Tests;

/// <summary>Fields by which a response says what else the client could ask for, and how it reads the request's.</summary>
public class NegotiationFieldTests
{
    [Theory]
    [InlineData("text/plain", "")]
    [InlineData("", "")]
    [InlineData("text/plain", "gzip")]
    public async Task A_415_for_the_type_does_not_speak_of_codings(string type, string coding)
    {
        // RFC 9110, section 12.5.3.
        await using var server = new TestServer(new HandlerFunc(async (response, request) =>
        {
            await request.ReadFormAsync();
        }).WithRequestDecompression());
        byte[] content = coding.Length == 0 ? [1] : GZip("a=1"u8.ToArray());
        using RawClient client = server.Connect();
        client.Send($"POST / HTTP/1.1\r\nHost: h\r\n{(type.Length > 0 ? $"Content-Type: {type}\r\n" : "")}" +
            $"{(coding.Length > 0 ? $"Content-Encoding: {coding}\r\n" : "")}Content-Length: {content.Length}\r\n\r\n");
        client.Send(content);
        RawResponse response = client.ReadResponse();
        Assert.Equal(415, response.StatusCode);
        Assert.False(response.Has("Accept-Encoding"));
    }

    [Theory]
    [InlineData(",, gzip ,")]
    [InlineData("br;q=0,,gzip\t;\tq=1.000")]
    [InlineData("GZIP")]
    [InlineData("\r\nAccept-Encoding: gzip")]
    public async Task Lists_of_codings_are_read_with_their_empty_members(string accepted)
    {
        // RFC 9110, sections 5.6.1.2, 8.4.1 and 12.4.2.
        await using var server = new TestServer(new HandlerFunc((response, request) =>
        {
            response.Header.Set("Content-Type", "text/plain");
            return response.WriteAsync(new string('a', 5000));
        }).WithCompression());
        RawResponse response = server.Exchange($"GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: {accepted}\r\n\r\n");
        Assert.Equal("gzip", response.Get("Content-Encoding"));
    }

    [Theory]
    [InlineData("multipart/form-data; boundary=\"b\"")]
    [InlineData("multipart/form-data; boundary=\"\\b\"")]
    [InlineData("Multipart/Form-Data ; BOUNDARY=\"b\"")]
    public async Task Quoted_pairs_of_a_boundary_are_replaced(string type)
    {
        // RFC 9110, sections 5.6.4 and 8.3.1.
        await using var server = new TestServer(async (response, request) =>
        {
            MultipartForm form = await request.ReadMultipartFormAsync();
            await response.WriteAsync(form.Values.Encode());
        });
        const string content = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n";
        Assert.Equal("a=1",
            server.Exchange($"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: {type}\r\nContent-Length: {content.Length}\r\n\r\n{content}").Text);
    }

    [Fact]
    public async Task A_405_to_a_handshake_has_Allow()
    {
        // RFC 9110, section 15.5.6.
        await using var server = new TestServer(async (response, request) =>
        {
            using System.Net.WebSockets.WebSocket? socket = await response.AcceptWebSocketAsync(request);
        });
        RawResponse response = server.Exchange("POST / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n" +
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal(405, response.StatusCode);
        Assert.Equal("GET", response.Get("Allow"));
    }

    private static byte[] GZip(byte[] content)
    {
        using var output = new MemoryStream();
        using (var compressor = new GZipStream(output, CompressionLevel.Optimal))
            compressor.Write(content);
        return output.ToArray();
    }
}
