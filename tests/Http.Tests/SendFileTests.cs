using Microsoft.Win32.SafeHandles;

namespace NetGo.Http.Tests;

/// <summary><see cref="ResponseWriter.SendFileAsync"/> on the wire, and the time-outs a handler sets.</summary>
public sealed class SendFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    private byte[] Fill(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        File.WriteAllBytes(_path, bytes);
        return bytes;
    }

    [Theory]
    [InlineData(100, true)]
    [InlineData(100, false)]
    [InlineData(3_000_000, true)]
    [InlineData(3_000_000, false)]
    public async Task A_part_of_a_file_is_sent_between_other_content(int length, bool declared)
    {
        byte[] bytes = Fill(length);
        await using var server = new TestServer(async (response, _) =>
        {
            using SafeFileHandle file = File.OpenHandle(_path);
            if (declared)
                response.Header.Set("Content-Length", $"{length - 50 + 2}");
            await response.WriteAsync("<");
            await response.SendFileAsync(file, 30, length - 50);
            await response.WriteAsync(">");
        });
        using RawClient client = server.Connect();
        for (int i = 0; i < 2; i++)
        {
            RawResponse response = client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            Assert.Equal([(byte)'<', .. bytes[30..(length - 20)], (byte)'>'], response.Content);
        }
        Assert.Empty(client.Exchange("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").Content);
        Assert.Equal(length - 48, client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").Content.Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_that_is_too_short_breaks_the_response_whatever_the_handler_does(bool declared)
    {
        Fill(1_000_000);
        await using var server = new TestServer(async (response, _) =>
        {
            using SafeFileHandle file = File.OpenHandle(_path);
            if (declared)
                response.Header.Set("Content-Length", "1000001");
            await Assert.ThrowsAnyAsync<EndOfStreamException>(async () => await response.SendFileAsync(file, 0, 1_000_001));
        });
        RawResponse response = server.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.False(response.IsComplete);
    }

    [Fact]
    public async Task A_handlers_write_deadline_ends_a_response_that_nobody_reads()
    {
        Fill(50_000_000);
        var failed = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (response, request) =>
        {
            response.SetWriteDeadline(TimeSpan.FromMilliseconds(100));
            try
            {
                if (request.Path == "/file")
                {
                    using SafeFileHandle file = File.OpenHandle(_path);
                    await response.SendFileAsync(file, 0, 50_000_000);
                }
                else
                {
                    await response.WriteAsync(new byte[50_000_000]);
                }
            }
            catch (IOException e)
            {
                failed.TrySetResult(e);
                throw;
            }
        });
        foreach (string path in (string[])["/file", "/"])
        {
            using RawClient client = server.Connect(receiveBufferSize: 4096);
            client.Send($"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
            await failed.Task.Within();
            failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    [Fact]
    public async Task A_handlers_read_deadline_ends_a_read()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            response.SetReadDeadline(TimeSpan.FromMilliseconds(50));
            await request.Body.CopyToAsync(Stream.Null);
        });
        using RawClient client = server.Connect();
        Assert.Equal(408, client.Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc").StatusCode);
        client.AssertClosed();
    }

    // The rest of what the client sends is read away, or the reset that closing causes would take the answer with it.
    [Fact]
    public async Task An_answer_that_closes_is_not_lost_when_more_comes_behind_a_long_content()
    {
        using var entered = new SemaphoreSlim(0);
        await using var server = new TestServer(async (response, request) =>
        {
            entered.Release(); // the head has come alone: the input buffer is not full
            response.Header.Set("Connection", "close");
            byte[] all = new byte[200_000];
            await request.Body.ReadExactlyAsync(all);
            await response.WriteAsync("done");
        });
        for (int i = 0; i < 20; i++)
        {
            using RawClient client = server.Connect();
            client.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n");
            Assert.True(await entered.WaitAsync(Bounded.Limit));
            client.Send(new string('x', 230_000));
            Assert.Equal("done", client.ReadResponse().Text);
            client.AssertClosed();
            Assert.False(client.WasReset);
        }
    }
}
