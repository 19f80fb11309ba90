using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;

namespace NetGo.Http.Tests;

/// <summary>Responses as they come over the wire: RFC 9112, section 6, and RFC 9110, sections 6.6.1, 8.6 and 15.</summary>
public partial class ResponseTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    private const string Head = "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";

    [Fact]
    public async Task A_handler_that_writes_nothing_answers_with_an_empty_200()
    {
        await using var server = new TestServer((response, request) => default);
        using RawClient client = server.Connect();
        RawResponse response = client.Exchange(Get);
        Assert.Equal(200, response.StatusCode);
        Assert.Equal("HTTP/1.1", response.Version);
        Assert.Equal("0", response.Get("Content-Length"));
        Assert.Equal(200, client.Exchange(Get).StatusCode);
    }

    [Fact]
    public async Task Content_that_fits_the_buffer_gets_a_Content_Length()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            await response.WriteAsync("hello ");
            await response.WriteAsync("world"u8.ToArray());
        });
        RawResponse response = server.Exchange(Get);
        Assert.Equal("11", response.Get("Content-Length"));
        Assert.Equal("hello world", response.Text);
        Assert.False(response.Has("Transfer-Encoding"));
    }

    [Fact]
    public async Task Content_that_is_flushed_is_sent_chunked_at_once()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, request) =>
        {
            await response.WriteAsync("hello ");
            await response.FlushAsync();
            if (request.Path == "/wait")
                await go.Task;
            await response.WriteAsync("world");
        });
        using RawClient client = server.Connect();
        client.Send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
        var begun = new StringBuilder();
        while (!begun.ToString().Contains("hello ", StringComparison.Ordinal))
        {
            begun.Append(Encoding.Latin1.GetString(client.ReadExactly(1, out bool complete)));
            Assert.True(complete);
        }

        go.SetResult();
        // The rest of it, then a whole one on the same connection.
        var rest = new StringBuilder();
        while (!rest.ToString().EndsWith("0\r\n\r\n", StringComparison.Ordinal))
        {
            rest.Append(Encoding.Latin1.GetString(client.ReadExactly(1, out bool complete)));
            Assert.True(complete);
        }

        RawResponse response = client.Exchange(Get);
        Assert.Equal("chunked", response.Get("Transfer-Encoding"));
        Assert.Equal("hello world", response.Text);
        Assert.True(response.ChunkCount >= 1);
    }

    [Fact]
    public async Task A_flush_without_content_sends_the_head()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, request) =>
        {
            await response.FlushAsync();
            await go.Task;
            await response.WriteAsync("late");
        });
        using RawClient client = server.Connect();
        client.Send(Get);
        Assert.Equal("HTTP/1.1 200", Encoding.Latin1.GetString(client.ReadExactly(12, out _)));
        go.SetResult();
        client.HalfClose();
        Assert.EndsWith("4\r\nlate\r\n0\r\n\r\n", Encoding.Latin1.GetString(client.ReadToEnd()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Flushing_twice_does_not_end_the_content()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            await response.FlushAsync();
            await response.FlushAsync();
            await response.WriteAsync(ReadOnlyMemory<byte>.Empty);
            await response.WriteAsync("");
            await response.FlushAsync();
            await response.WriteAsync("a");
            await response.FlushAsync();
            await response.FlushAsync();
            await response.WriteAsync("b");
        });
        using RawClient client = server.Connect();
        Assert.Equal("ab", client.Exchange(Get).Text);
        Assert.Equal("ab", client.Exchange(Get).Text);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(60_000)]
    public async Task Head_has_the_Content_Length_of_Get_and_no_content(int length)
    {
        await using var server = new TestServer((response, request) => response.WriteAsync(new string('a', length)));
        using RawClient client = server.Connect();
        RawResponse get = client.Exchange(Get);
        RawResponse head = client.Exchange(Head);
        Assert.Equal(length, get.Content.Length);
        Assert.Equal(get.Get("Content-Length"), head.Get("Content-Length"));
        Assert.Equal(get.StatusCode, head.StatusCode);
        Assert.Equal("", Encoding.Latin1.GetString(head.Content));
        Assert.Equal(length, client.Exchange(Get).Content.Length);
    }

    [Fact]
    public async Task Head_of_a_long_or_flushed_or_declared_response_has_no_content()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path == "/declared")
                response.Header.Set("Content-Length", "12");
            if (request.Path == "/declared-only")
            {
                response.Header.Set("Content-Length", "12");
                return;
            }

            await response.WriteAsync("hello ");
            if (request.Path == "/flushed")
                await response.FlushAsync();
            if (request.Path == "/long")
                await response.WriteAsync(new byte[1_000_000]);
            await response.WriteAsync("world!");
        });
        using RawClient client = server.Connect();
        foreach (string path in new[] { "/declared", "/declared-only", "/flushed", "/long" })
        {
            RawResponse head = client.Exchange($"HEAD {path} HTTP/1.1\r\nHost: h\r\n\r\n");
            Assert.Equal(200, head.StatusCode);
            if (path.StartsWith("/declared", StringComparison.Ordinal))
                Assert.Equal("12", head.Get("Content-Length"));
            // Nothing but the next answer follows.
            Assert.Equal("hello world!", client.Exchange("GET /declared HTTP/1.1\r\nHost: h\r\n\r\n").Text);
        }
    }

    [Theory]
    [InlineData(204)]
    [InlineData(304)]
    public async Task Responses_204_and_304_have_no_content(int statusCode)
    {
        await using var server = new TestServer((response, request) =>
        {
            response.Header.Set("ETag", "\"a\"");
            response.WriteHeader(statusCode);
            return default;
        });
        using RawClient client = server.Connect();
        for (int i = 0; i < 2; i++)
        {
            RawResponse response = client.Exchange(Get);
            Assert.Equal(statusCode, response.StatusCode);
            Assert.Equal("\"a\"", response.Get("ETag"));
            Assert.False(response.Has("Transfer-Encoding"));
            // RFC 9110, section 8.6: none in 204; in 304 only that of the 200 which it stands for, and that isn't known.
            Assert.False(response.Has("Content-Length"));
        }
    }

    [Theory]
    [InlineData(204)]
    [InlineData(304)]
    public async Task Writing_content_to_204_or_304_is_an_InvalidOperationException(int statusCode)
    {
        Exception? seen = null;
        await using var server = new TestServer(async (response, request) =>
        {
            response.WriteHeader(statusCode);
            seen = await Record.ExceptionAsync(async () => await response.WriteAsync("content"));
        });
        using RawClient client = server.Connect();
        Assert.Equal(statusCode, client.Exchange(Get).StatusCode);
        Assert.IsType<InvalidOperationException>(seen);
        Assert.Equal(statusCode, client.Exchange(Get).StatusCode);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(201)]
    [InlineData(205)]
    [InlineData(301)]
    [InlineData(404)]
    [InlineData(418)]
    [InlineData(500)]
    [InlineData(599)]
    [InlineData(999)]
    public async Task Any_final_status_code_can_be_sent(int statusCode)
    {
        await using var server = new TestServer((response, request) =>
        {
            Assert.Equal(200, response.StatusCode);
            Assert.False(response.HeaderWritten);
            response.WriteHeader(statusCode);
            Assert.Equal(statusCode, response.StatusCode);
            Assert.True(response.HeaderWritten);
            response.WriteHeader(500); // Ignored.
            Assert.Equal(statusCode, response.StatusCode);
            return default;
        });
        using RawClient client = server.Connect();
        Assert.Equal(statusCode, client.Exchange(Get).StatusCode);
        Assert.Equal(statusCode, client.Exchange(Get).StatusCode);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(99)]
    [InlineData(100)]
    [InlineData(101)]
    [InlineData(199)]
    [InlineData(1000)]
    [InlineData(int.MaxValue)]
    public async Task A_status_code_that_is_not_of_a_final_response_is_an_ArgumentOutOfRangeException(int statusCode)
    {
        Exception? seen = null;
        await using var server = new TestServer((response, request) =>
        {
            seen = Record.Exception(() => response.WriteHeader(statusCode));
            return response.WriteAsync("fine");
        });
        Assert.Equal("fine", server.Exchange(Get).Text);
        Assert.IsType<ArgumentOutOfRangeException>(seen);
    }

    [Fact]
    public async Task Fields_are_sent_and_those_set_after_the_head_is_fixed_are_not()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            response.Header["X-One"] = "1";
            response.Header.Add("X-Two", "2");
            response.Header.Add("X-Two", "3");
            response.Header.Set("X-Gone", "4");
            response.Header.Remove("X-Gone");
            await response.WriteAsync("a");
            response.Header.Set("X-Late", "5");
            response.Header.Set("X-One", "6");
        });
        RawResponse response = server.Exchange(Get);
        Assert.Equal("1", response.Get("X-One"));
        Assert.Equal(["2", "3"], response.GetAll("X-Two"));
        Assert.False(response.Has("X-Gone"));
        Assert.False(response.Has("X-Late"));
    }

    [Fact]
    public async Task Fields_set_after_WriteHeader_are_not_sent()
    {
        await using var server = new TestServer((response, request) =>
        {
            response.Header.Set("X-One", "1");
            response.WriteHeader(201);
            response.Header.Set("X-Late", "2");
            return response.WriteAsync("a");
        });
        RawResponse response = server.Exchange(Get);
        Assert.Equal(201, response.StatusCode);
        Assert.Equal("1", response.Get("X-One"));
        Assert.False(response.Has("X-Late"));
    }

    [Fact]
    public async Task Fields_and_status_of_one_response_are_not_in_the_next()
    {
        await using var server = new TestServer((response, request) =>
        {
            if (request.Path == "/set")
            {
                response.Header.Set("X", "1");
                response.Header.Set("Content-Type", "text/plain");
                response.WriteHeader(404);
            }

            return response.WriteAsync("a");
        });
        using RawClient client = server.Connect();
        Assert.Equal("1", client.Exchange("GET /set HTTP/1.1\r\nHost: h\r\n\r\n").Get("X"));
        RawResponse response = client.Exchange(Get);
        Assert.Equal(200, response.StatusCode);
        Assert.False(response.Has("X"));
        Assert.False(response.Has("Content-Type"));
    }

    [Fact]
    public async Task Date_is_there_once_and_is_now()
    {
        // RFC 9110, sections 5.6.7 and 6.6.1.
        await using var server = new TestServer(Handlers.Ok);
        string date = server.Exchange(Get).Get("Date")!;
        var time = DateTime.ParseExact(date, "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);
        Assert.InRange(DateTime.UtcNow - time, TimeSpan.FromSeconds(-5), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_Date_of_the_handler_is_the_only_one()
    {
        await using var server = new TestServer((response, request) =>
        {
            response.Header.Set("Date", "Tue, 15 Nov 1994 08:12:31 GMT");
            return response.WriteAsync("a");
        });
        Assert.Equal("Tue, 15 Nov 1994 08:12:31 GMT", server.Exchange(Get).Get("Date"));
    }

    [Fact]
    public async Task Server_is_sent_when_it_has_a_name()
    {
        await using (var server = new TestServer(Handlers.Ok))
            Assert.False(server.Exchange(Get).Has("Server"));
        await using (var server = new TestServer(Handlers.Ok, s => s.ServerName = "NetGo"))
            Assert.Equal("NetGo", server.Exchange(Get).Get("Server"));
    }

    [Fact]
    public async Task A_Server_field_of_the_handler_is_the_only_one()
    {
        await using var server = new TestServer((response, _) =>
        {
            response.Header.Set("Server", "another");
            return response.WriteAsync("ok");
        }, s => s.ServerName = "NetGo");
        Assert.Equal("another", server.Exchange(Get).Get("Server"));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(200_000)]
    public async Task A_Content_Length_of_the_handler_is_honoured(int length)
    {
        await using var server = new TestServer(async (response, request) =>
        {
            response.Header.Set("Content-Length", length.ToString(CultureInfo.InvariantCulture));
            await response.WriteAsync(new string('a', length - 1));
            await response.FlushAsync();
            await response.WriteAsync("b");
        });
        using RawClient client = server.Connect();
        for (int i = 0; i < 2; i++)
        {
            RawResponse response = client.Exchange(Get);
            Assert.Equal(length.ToString(CultureInfo.InvariantCulture), response.Get("Content-Length"));
            Assert.False(response.Has("Transfer-Encoding"));
            Assert.Equal(new string('a', length - 1) + "b", response.Text);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task More_than_the_declared_Content_Length_is_an_InvalidOperationException(bool flush)
    {
        Exception? seen = null;
        await using var server = new TestServer(async (response, request) =>
        {
            if (request.Path != "/")
                return;
            response.Header.Set("Content-Length", "5");
            await response.WriteAsync("hello");
            if (flush)
                await response.FlushAsync();
            seen = await Record.ExceptionAsync(async () => await response.WriteAsync("!"));
        });
        using RawClient client = server.Connect();
        Assert.Equal("hello", client.Exchange(Get).Text);
        // Nothing of the excess is on the wire: the next answer, or the end, follows.
        client.SendAnyway("GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
        client.HalfClose();
        byte[] rest = client.ReadToEnd();
        Assert.IsType<InvalidOperationException>(seen);
        Assert.True(rest.Length == 0 || Encoding.Latin1.GetString(rest).StartsWith("HTTP/1.1 200", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public async Task Less_than_the_declared_Content_Length_breaks_the_connection(int length)
    {
        await using var server = new TestServer((response, request) =>
        {
            if (request.Path == "/alive")
                return default;
            response.Header.Set("Content-Length", "5");
            return response.WriteAsync(new string('a', length));
        });
        using RawClient client = server.Connect();
        client.SendAnyway(Get + "GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
        string answer = Encoding.Latin1.GetString(client.ReadToEnd());
        // Either what there is of it and the end, or an error instead of it; never the next answer in place of the rest.
        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 500", StringComparison.Ordinal) || answer.EndsWith("\r\n\r\n" + new string('a', length), StringComparison.Ordinal), answer);
        Assert.True(answer.Split("HTTP/1.1").Length <= 2, answer);
        server.AssertAlive();
    }

    [Fact]
    public async Task A_write_of_1_MiB_arrives_unchanged()
    {
        byte[] content = new byte[1024 * 1024];
        new Random(3).NextBytes(content);
        await using var server = new TestServer((response, request) => response.WriteAsync(content));
        using RawClient client = server.Connect();
        for (int i = 0; i < 3; i++)
            Assert.True(client.Exchange(Get).Content.AsSpan().SequenceEqual(content));
    }

    [Fact]
    public async Task A_text_of_1_MiB_arrives_as_UTF_8()
    {
        string text = string.Concat(Enumerable.Range(0, 150_000).Select(i => "\u00e4\u20ac\U0001f600a"[..(i % 2 == 0 ? 5 : 2)]));
        await using var server = new TestServer((response, request) => response.WriteAsync(text));
        Assert.Equal(text, Encoding.UTF8.GetString(server.Exchange(Get).Content));
    }

    [Theory]
    [InlineData(1, 100_000)]
    [InlineData(7, 30_000)]
    [InlineData(1000, 1000)]
    [InlineData(65_535, 5)]
    [InlineData(65_536, 5)]
    [InlineData(65_537, 5)]
    public async Task Many_writes_arrive_unchanged(int size, int count)
    {
        byte[] content = new byte[size * count];
        new Random(4).NextBytes(content);
        await using var server = new TestServer(async (response, request) =>
        {
            for (int i = 0; i < count; i++)
                await response.WriteAsync(content.AsMemory(i * size, size));
        });
        using RawClient client = server.Connect();
        Assert.True(client.Exchange(Get).Content.AsSpan().SequenceEqual(content));
        Assert.Equal(content.Length, client.Exchange(Get).Content.Length);
    }

    [Theory]
    [InlineData(61_439)]
    [InlineData(61_440)]
    public async Task Content_of_up_to_60_KiB_gets_a_Content_Length(int length)
    {
        // "Up to 60 KiB of content are buffered; an answer that ends within that gets a Content-Length."
        await using var server = new TestServer(async (response, request) =>
        {
            for (int i = 0; i < length; i += 1000)
                await response.WriteAsync(new byte[Math.Min(1000, length - i)]);
        });
        RawResponse response = server.Exchange(Get);
        Assert.Equal(length.ToString(CultureInfo.InvariantCulture), response.Get("Content-Length"));
        Assert.Equal(length, response.Content.Length);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(500)]
    [InlineData(4096)]
    [InlineData(20_000)]
    public async Task Content_written_to_spans_arrives_unchanged(int sizeHint)
    {
        byte[] content = new byte[300_000];
        new Random(5).NextBytes(content);
        bool sizesHeld = true;
        await using var server = new TestServer(async (response, request) =>
        {
            for (int i = 0; i < content.Length;)
            {
                int count = Fill(i);
                i += count;
                if (i / 50_000 != (i - count) / 50_000)
                    await response.FlushAsync();
            }

            int Fill(int start)
            {
                Span<byte> span = (start & 1) == 0 ? response.GetSpan(sizeHint) : response.GetMemory(sizeHint).Span;
                sizesHeld &= span.Length >= sizeHint;
                int count = Math.Min(sizeHint, content.Length - start);
                content.AsSpan(start, count).CopyTo(span);
                response.Advance(count);
                return count;
            }
        });
        using RawClient client = server.Connect();
        RawResponse response = client.Exchange(Get);
        Assert.True(response.Content.AsSpan().SequenceEqual(content));
        Assert.True(sizesHeld);
        Assert.Equal(content.Length, client.Exchange(Get).Content.Length);
    }

    [Fact]
    public async Task Spans_fill_a_response_without_any_flush()
    {
        // A handler that only ever calls GetSpan and Advance, as Utf8JsonWriter does.
        byte[] content = new byte[1_000_000];
        new Random(6).NextBytes(content);
        await using var server = new TestServer((response, request) =>
        {
            response.Write(content);
            return default;
        });
        Assert.True(server.Exchange(Get).Content.AsSpan().SequenceEqual(content));
    }

    [Fact]
    public async Task Spans_and_writes_keep_their_order()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                if (i % 3 == 0)
                    await response.WriteAsync($"{i},");
                else
                    response.Write(Encoding.ASCII.GetBytes($"{i},"));
            }
        });
        Assert.Equal(string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{i},")), server.Exchange(Get).Text);
    }

    [Fact]
    public async Task Advancing_by_more_than_was_got_or_less_than_nothing_is_refused()
    {
        Exception? negative = null;
        Exception? tooMuch = null;
        await using var server = new TestServer((response, request) =>
        {
            int length = response.GetSpan(10).Length;
            negative = Record.Exception(() => response.Advance(-1));
            tooMuch = Record.Exception(() => response.Advance(length + 1));
            return response.WriteAsync("a");
        });
        Assert.Equal("a", server.Exchange(Get).Text);
        Assert.NotNull(negative);
        Assert.NotNull(tooMuch);
    }

    [Fact]
    public async Task Json_is_serialized_with_its_type()
    {
        await using var server = new TestServer((response, request) =>
        {
            if (request.Path == "/own")
                response.Header.Set("Content-Type", "application/problem+json");
            response.WriteJson(new Greeting("Hello, World!", [1, 2]), GreetingContext.Default.Greeting);
            return default;
        });
        using RawClient client = server.Connect();
        for (int i = 0; i < 2; i++)
        {
            RawResponse response = client.Exchange(Get);
            Assert.StartsWith("application/json", response.Get("Content-Type"), StringComparison.Ordinal);
            Assert.Equal("""{"Message":"Hello, World!","Numbers":[1,2]}""", response.Text);
            Assert.Equal(response.Content.Length.ToString(CultureInfo.InvariantCulture), response.Get("Content-Length"));
        }

        Assert.Equal("application/problem+json", client.Exchange("GET /own HTTP/1.1\r\nHost: h\r\n\r\n").Get("Content-Type"));
    }

    [Fact]
    public async Task Json_larger_than_the_buffer_arrives_whole()
    {
        int[] numbers = [.. Enumerable.Range(0, 100_000)];
        await using var server = new TestServer((response, request) =>
        {
            response.WriteJson(new Greeting("x", numbers), GreetingContext.Default.Greeting);
            return default;
        });
        Assert.Equal($$"""{"Message":"x","Numbers":[{{string.Join(',', numbers)}}]}""", server.Exchange(Get).Text);
    }

    [Fact]
    public async Task Json_of_several_handlers_at_once_is_not_mixed_up()
    {
        // The serializer's writer is kept per thread; handlers move between threads.
        await using var server = new TestServer(async (response, request) =>
        {
            await Task.Yield();
            response.WriteJson(new Greeting(request.Path, []), GreetingContext.Default.Greeting);
            await Task.Yield();
        });
        RawClient[] clients = [.. Enumerable.Range(0, 20).Select(_ => server.Connect())];
        for (int round = 0; round < 20; round++)
        {
            for (int i = 0; i < clients.Length; i++)
                clients[i].Send($"GET /{round}-{i} HTTP/1.1\r\nHost: h\r\n\r\n");
            for (int i = 0; i < clients.Length; i++)
                Assert.Equal($$"""{"Message":"/{{round}}-{{i}}","Numbers":[]}""", clients[i].ReadResponse().Text);
        }

        foreach (RawClient client in clients)
            client.Dispose();
    }

    [Theory]
    [InlineData("X", "a\rb")]
    [InlineData("X", "a\nb")]
    [InlineData("X", "a\r\nSet-Cookie: b=c")]
    [InlineData("X", "a\0")]
    [InlineData("X", "\r")]
    [InlineData("X", "a\x7f")]
    [InlineData("X", "a\u0100")] // not Latin-1: could become another character
    [InlineData("X", "a\u560a")] // LF when it is cut to 8 bits
    [InlineData("X\r\nY", "a")]
    [InlineData("X:", "a")]
    [InlineData("X Y", "a")]
    [InlineData("", "a")]
    [InlineData("X\u00e4", "a")]
    public async Task Fields_that_could_end_and_begin_another_are_an_ArgumentException(string name, string value)
    {
        var seen = new List<Exception?>();
        await using var server = new TestServer((response, request) =>
        {
            seen.Add(Record.Exception(() => response.Header.Set(name, value)));
            seen.Add(Record.Exception(() => response.Header.Add(name, value)));
            seen.Add(Record.Exception(() => response.Header[name] = value));
            return response.WriteAsync("a");
        });
        RawResponse response = server.Exchange(Get);
        Assert.Equal("a", response.Text);
        Assert.False(response.Has("Set-Cookie"));
        Assert.False(response.Has("X"));
        Assert.All(seen, exception => Assert.IsAssignableFrom<ArgumentException>(exception));
    }

    [Fact]
    public async Task A_long_field_is_sent_whole()
    {
        string value = new('v', 20_000);
        await using var server = new TestServer((response, request) =>
        {
            for (int i = 0; i < 8; i++)
                response.Header.Add("X", value + i);
            return response.WriteAsync("content");
        });
        using RawClient client = server.Connect();
        for (int i = 0; i < 2; i++)
        {
            RawResponse response = client.Exchange(Get);
            Assert.Equal(Enumerable.Range(0, 8).Select(n => value + n), response.GetAll("X"));
            Assert.Equal("content", response.Text);
        }
    }

    [Fact]
    public async Task The_request_tells_both_addresses()
    {
        string? seen = null;
        await using var server = new TestServer((response, request) =>
        {
            seen = $"{request.RemoteEndPoint} {request.LocalEndPoint}";
            return default;
        });
        using RawClient client = server.Connect();
        client.Exchange(Get);
        Assert.Equal($"{client.Socket.LocalEndPoint} {client.Socket.RemoteEndPoint}", seen);
    }

    internal sealed record Greeting(string Message, int[] Numbers);

    [JsonSerializable(typeof(Greeting))]
    internal sealed partial class GreetingContext : JsonSerializerContext;
}
