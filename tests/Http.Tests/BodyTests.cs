using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace NetGo.Http.Tests;

/// <summary>RFC 9112, sections 6 and 7: the content of requests as handlers read it.</summary>
public class BodyTests
{
    private const string ChunkedHead = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    private const string Next = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";

    [Theory]
    [InlineData("5\r\nhello\r\n0\r\n\r\n", "hello")]
    [InlineData("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world")]
    [InlineData("0\r\n\r\n", "")]
    [InlineData("a\r\n0123456789\r\n0\r\n\r\n", "0123456789")]
    [InlineData("A\r\n0123456789\r\n0\r\n\r\n", "0123456789")]
    [InlineData("0000000000a\r\n0123456789\r\n000\r\n\r\n", "0123456789")]
    [InlineData("1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n", "abcdefghijklmnopqrstuvwxyz")]
    [InlineData("4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n")]
    [InlineData("5;a\r\nhello\r\n0;b\r\n\r\n", "hello")] // section 7.1.1: extensions are ignored
    [InlineData("5;a=b;c=\"d;e \"\r\nhello\r\n0\r\n\r\n", "hello")]
    [InlineData("5;a;b=c;d\r\nhello\r\n0;x=y\r\n\r\n", "hello")]
    [InlineData("5\r\nhello\r\n0\r\nX: trailer\r\n\r\n", "hello")] // section 7.1.2
    [InlineData("5\r\nhello\r\n0\r\nX: trailer\r\nY: z\r\n\r\n", "hello")]
    public async Task Chunks_are_put_together(string content, string expected)
    {
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        client.Send(ChunkedHead + content + ChunkedHead + content);
        Assert.Equal(expected, client.ReadResponse().Text);
        Assert.Equal(expected, client.ReadResponse().Text);
    }

    [Theory]
    [InlineData("\r\nhello\r\n0\r\n\r\n")]
    [InlineData("g\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5g\r\nhello\r\n0\r\n\r\n")]
    [InlineData("-5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("-1\r\nhello\r\n0\r\n\r\n")]
    [InlineData("+5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("0x5\r\nhello\r\n0\r\n\r\n")]
    [InlineData(" 5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5 \r\nhello\r\n0\r\n\r\n")]
    [InlineData("5;\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5;;a\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5;a=\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5;a b\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5;a=b \r\nhello\r\n0\r\n\r\n")]
    [InlineData("5;a=\"b\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5;a=\"b\\\"\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5;a=\"b\"c\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5;\x80\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5 5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5_\r\nhello\r\n0\r\n\r\n")]
    [InlineData(";a\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5\nhello\r\n0\r\n\r\n")] // a LF alone
    [InlineData("5\rhello\r\n0\r\n\r\n")]
    [InlineData("5\r\nhello\n0\r\n\r\n")]
    [InlineData("5\r\nhello\r0\r\n\r\n")]
    [InlineData("5;a\nhello\r\n0\r\n\r\n")]
    [InlineData("5;a\rb\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5;a\0b\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5\r\nhello0\r\n\r\n")] // no line end after the data
    [InlineData("5\r\nhelloXX0\r\n\r\n")]
    [InlineData("4\r\nhello\r\n0\r\n\r\n")]
    [InlineData("5\r\nhello\r\n\r\n0\r\n\r\n")]
    [InlineData("5\r\nhello\r\n0\r\nXX\r\n\r\n")]
    [InlineData("5\r\nhello\r\n0\r\nX : y\r\n\r\n")]
    [InlineData("5\r\nhello\r\n0\r\n X: y\r\n\r\n")]
    [InlineData("5\r\nhello\r\n0\r\nX: a\nY: b\r\n\r\n")]
    [InlineData("5\r\nhello\r\n0\r\nX: a\rb\r\n\r\n")]
    [InlineData("5\r\nhello\r\n0\r\n\n")]
    public async Task Malformed_chunks_are_answered_with_400(string content)
    {
        await using var server = new TestServer(Handlers.Echo);
        server.AssertRefused(ChunkedHead + content, 400);
    }

    [Theory]
    [InlineData("7fffffff")]
    [InlineData("80000000")]
    [InlineData("ffffffff")]
    [InlineData("100000005")]
    [InlineData("7fffffffffffffff")]
    [InlineData("8000000000000000")]
    [InlineData("ffffffffffffffff")]
    [InlineData("10000000000000000")]
    [InlineData("10000000000000005")]
    [InlineData("fffffffffffffffffffffffffffffffffffff")]
    public async Task A_huge_chunk_size_does_not_overflow(string size)
    {
        await using var server = new TestServer(Handlers.Echo);
        server.AssertRefused(ChunkedHead + size + "\r\nhello\r\n0\r\n\r\n", 400, 413);
    }

    [Fact]
    public async Task Sizes_of_several_chunks_do_not_overflow_together()
    {
        await using var server = new TestServer(Handlers.Echo, s => s.MaxRequestBodySize = long.MaxValue);
        server.AssertRefused(ChunkedHead + "5\r\nhello\r\n7fffffffffffffff1\r\nx", 400, 413);
    }

    [Fact]
    public async Task A_chunk_size_line_without_end_is_refused()
    {
        await using var server = new TestServer(Handlers.Echo, s => s.MaxHeaderBytes = 2048);
        server.AssertRefused(ChunkedHead + "5;" + new string('a', 100_000), 400, 413, 431);
        server.AssertRefused(ChunkedHead + new string('0', 100_000), 400, 413, 431);
    }

    [Fact]
    public async Task A_trailer_that_is_too_long_is_refused()
    {
        await using var server = new TestServer(Handlers.Echo, s => s.MaxHeaderBytes = 2048);
        server.AssertRefused(ChunkedHead + "5\r\nhello\r\n0\r\nX: " + new string('a', 10_000) + "\r\n\r\n", 431);
        server.AssertRefused(ChunkedHead + "5\r\nhello\r\n0\r\nX: " + new string('a', 10_000), 431);
        server.AssertRefused(ChunkedHead + "5\r\nhello\r\n0\r\n" + string.Concat(Enumerable.Repeat("X: y\r\n", 1000)) + "\r\n", 431);
    }

    [Fact]
    public async Task Content_may_come_in_single_bytes()
    {
        await using var server = new TestServer(Handlers.Echo);
        using RawClient client = server.Connect();
        foreach (string request in new[]
        {
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello world",
            ChunkedHead + "5;ext=\"x\"\r\nhello\r\n006\r\n world\r\n0\r\nX: trailer\r\n\r\n",
        })
        {
            foreach (char character in request)
                client.Send(character.ToString());
            Assert.Equal("hello world", client.ReadResponse().Text);
        }
    }

    [Fact]
    public async Task A_handler_gets_content_before_all_of_it_has_come()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            byte[] buffer = new byte[100];
            int count;
            while ((count = await request.Body.ReadAsync(buffer)) > 0)
            {
                await response.WriteAsync(buffer.AsMemory(0, count));
                await response.FlushAsync();
            }
        });
        using RawClient client = server.Connect();
        client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345");
        string head = Encoding.Latin1.GetString(client.ReadExactly(12, out _));
        Assert.Equal("HTTP/1.1 200", head);
        client.Send("67890");
        client.HalfClose();
        Assert.EndsWith("67890\r\n0\r\n\r\n", Encoding.Latin1.GetString(client.ReadToEnd()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Content_larger_than_any_buffer_arrives_unchanged(bool chunked)
    {
        byte[] content = new byte[5_000_000];
        new Random(1).NextBytes(content);
        string expected = Convert.ToHexString(SHA256.HashData(content));
        string? seen = null;
        await using var server = new TestServer(async (response, request) =>
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            byte[] buffer = new byte[10_007];
            int count;
            while ((count = await request.Body.ReadAsync(buffer)) > 0)
            {
                hash.AppendData(buffer, 0, count);
                await response.WriteAsync(buffer.AsMemory(0, count));
            }

            seen = Convert.ToHexString(hash.GetHashAndReset());
        });
        using RawClient client = server.Connect();
        Task sending = Task.Run(() =>
        {
            if (!chunked)
            {
                client.Send($"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {content.Length}\r\n\r\n");
                client.Send(content);
                return;
            }

            client.Send(ChunkedHead);
            var random = new Random(2);
            for (int start = 0; start < content.Length;)
            {
                int length = Math.Min(random.Next(1, 100_000), content.Length - start);
                client.Send(length.ToString("x", CultureInfo.InvariantCulture) + "\r\n");
                client.Send(content.AsSpan(start, length));
                client.Send("\r\n");
                start += length;
            }

            client.Send("0\r\n\r\n");
        });
        RawResponse response = client.ReadResponse();
        await sending.WaitAsync(TestServer.Bound);
        Assert.Equal(expected, seen);
        Assert.Equal(expected, Convert.ToHexString(SHA256.HashData(response.Content)));
        Assert.Equal(200, client.Exchange(Next).StatusCode);
    }

    [Fact]
    public async Task Many_small_chunks_arrive_unchanged()
    {
        await using var server = new TestServer(Handlers.Stream);
        using RawClient client = server.Connect();
        const int count = 100_000;
        Task sending = Task.Run(() => client.Send(ChunkedHead + string.Concat(Enumerable.Range(0, count).Select(i => $"1\r\n{i % 10}\r\n")) + "0\r\n\r\n"));
        Assert.Equal(string.Concat(Enumerable.Range(0, count).Select(i => i % 10)), client.ReadResponse().Text);
        await sending.WaitAsync(TestServer.Bound);
    }

    [Theory]
    [InlineData("Content-Length: 1000", 1000)]
    [InlineData("Content-Length: 100000", 100_000)]
    public async Task Content_that_no_handler_reads_is_not_taken_for_the_next_request(string field, int length)
    {
        await using var server = new TestServer(Handlers.Path);
        using RawClient client = server.Connect();
        client.Send($"POST /a HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n{new string('x', length)}{Next}");
        Assert.Equal("/a", client.ReadResponse().Text);
        Assert.Equal("/next", client.ReadResponse().Text);
    }

    [Fact]
    public async Task Chunks_that_no_handler_reads_are_not_taken_for_the_next_request()
    {
        await using var server = new TestServer(Handlers.Path);
        using RawClient client = server.Connect();
        client.Send("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3e8\r\n" + new string('x', 1000) + "\r\n0\r\nX: y\r\n\r\n" + Next);
        Assert.Equal("/a", client.ReadResponse().Text);
        Assert.Equal("/next", client.ReadResponse().Text);
    }

    [Fact]
    public async Task Content_that_a_handler_reads_half_is_not_taken_for_the_next_request()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            byte[] buffer = new byte[3];
            if (request.ContentLength != 0)
                await request.Body.ReadExactlyAsync(buffer);
            await response.WriteAsync(request.Path + Encoding.ASCII.GetString(buffer));
        });
        using RawClient client = server.Connect();
        client.Send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabcdef");
        client.Send("POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n" + Next);
        Assert.Equal("/aabc", client.ReadResponse().Text);
        Assert.Equal("/babc", client.ReadResponse().Text);
        Assert.Equal("/next\0\0\0", client.ReadResponse().Text);
    }

    [Fact]
    public async Task Malformed_chunks_that_no_handler_reads_end_the_connection()
    {
        await using var server = new TestServer(Handlers.Path);
        using RawClient client = server.Connect();
        client.SendAnyway("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX" + Next);
        Assert.True(client.ReadResponse().StatusCode is 200 or 400);
        client.AssertClosed();
    }

    [Fact]
    public async Task Content_that_no_handler_reads_and_that_is_huge_ends_the_connection_after_the_answer()
    {
        await using var server = new TestServer(Handlers.Path, s => s.MaxRequestBodySize = 2_000_000_000);
        using RawClient client = server.Connect();
        client.Send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n" + new string('x', 10_000));
        RawResponse response = client.ReadResponse();
        Assert.Equal("/a", response.Text);
        bool closed = false;
        Task sending = Task.Run(() =>
        {
            for (int i = 0; i < 1000 && !Volatile.Read(ref closed); i++)
                client.SendAnyway(new string('x', 1_000_000));
        });
        client.AssertClosed();
        Volatile.Write(ref closed, true);
        await sending.WaitAsync(TestServer.Bound);
    }

    [Theory]
    [InlineData("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345")]
    [InlineData("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n")]
    [InlineData(ChunkedHead + "a\r\n12345")]
    [InlineData(ChunkedHead + "5\r\n12345")]
    [InlineData(ChunkedHead + "5\r\n12345\r\n")]
    [InlineData(ChunkedHead + "5\r\n12345\r\n0\r\n")]
    [InlineData(ChunkedHead + "5\r\n12345\r\n0\r\nX: y\r\n")]
    [InlineData(ChunkedHead)]
    public async Task Content_that_is_cut_off_is_not_taken_for_complete(string request)
    {
        // RFC 9112, section 8.
        var outcome = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, r) =>
        {
            try
            {
                await Handlers.Echo(response, r);
                outcome.TrySetResult(null);
            }
            catch (Exception exception)
            {
                outcome.TrySetResult(exception);
                throw;
            }
        });
        using RawClient client = server.Connect();
        client.Send(request);
        client.HalfClose();
        string answer = Encoding.Latin1.GetString(client.ReadToEnd());
        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 400", StringComparison.Ordinal), answer);
        Assert.IsAssignableFrom<IOException>(await outcome.Task.WaitAsync(TestServer.Bound));
        server.AssertAlive();
    }

    [Fact]
    public async Task A_read_at_the_end_of_the_content_goes_on_returning_0()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            byte[] buffer = new byte[10];
            int total = 0;
            for (int i = 0; i < 10; i++)
                total += await request.Body.ReadAsync(buffer);
            total += await request.Body.ReadAsync(Memory<byte>.Empty);
            await response.WriteAsync(total.ToString(CultureInfo.InvariantCulture));
        });
        using RawClient client = server.Connect();
        Assert.Equal("5", client.Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello").Text);
        Assert.Equal("5", client.Exchange(ChunkedHead + "5\r\nhello\r\n0\r\n\r\n").Text);
        Assert.Equal("0", client.Exchange(Next).Text);
    }

    [Fact]
    public async Task Content_may_be_read_synchronously()
    {
        await using var server = new TestServer((response, request) =>
        {
            using var reader = new StreamReader(request.Body, Encoding.ASCII, false, 16, leaveOpen: true);
            return response.WriteAsync(reader.ReadToEnd());
        });
        using RawClient client = server.Connect();
        client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 40\r\n\r\n" + new string('a', 20));
        server.AssertAlive();
        client.Send(new string('b', 20));
        Assert.Equal(new string('a', 20) + new string('b', 20), client.ReadResponse().Text);
    }

    [Fact]
    public async Task The_stream_of_the_content_reads_forward_only()
    {
        await using var server = new TestServer((response, request) =>
            response.WriteAsync($"{request.Body.CanRead} {request.Body.CanWrite} {request.Body.CanSeek}"));
        Assert.Equal("True False False", server.Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello").Text);
    }

    [Fact]
    public async Task An_exception_of_a_read_that_no_handler_catches_is_the_answer()
    {
        Exception? seen = null;
        await using var server = new TestServer(async (response, request) =>
        {
            try
            {
                await request.Body.CopyToAsync(Stream.Null);
            }
            catch (Exception exception)
            {
                seen = exception;
                throw;
            }
        }, s => s.MaxRequestBodySize = 100);
        server.AssertRefused(ChunkedHead + "x\r\n", 400);
        Assert.Equal(400, Assert.IsType<BadRequestException>(seen).StatusCode);
        server.AssertRefused(ChunkedHead + "65\r\n", 413);
        Assert.Equal(413, Assert.IsType<BadRequestException>(seen).StatusCode);
    }

    [Fact]
    public async Task A_handler_may_catch_the_exception_of_a_read_and_answer_but_the_connection_ends()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            try
            {
                await request.Body.CopyToAsync(Stream.Null);
            }
            catch (BadRequestException exception)
            {
                response.WriteHeader(422);
                await response.WriteAsync($"caught {exception.StatusCode}");
            }
        });
        using RawClient client = server.Connect();
        client.SendAnyway(ChunkedHead + "x\r\n" + Next);
        RawResponse response = client.ReadResponse();
        Assert.Equal(422, response.StatusCode);
        Assert.Equal("caught 400", response.Text);
        client.AssertClosed();
    }
}
