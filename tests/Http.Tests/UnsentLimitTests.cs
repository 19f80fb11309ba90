namespace NetGo.Http.Tests;

/// <summary><see cref="Server.MaxUnsentBytes"/>, by what of a response the system has taken when a client does not read.</summary>
public class UnsentLimitTests
{
    private const int Piece = 16 * 1024;

    // How many bytes of a response are written until a write has to wait for the client.
    private static async Task<int> TakenOf(int limit)
    {
        int written = 0;
        await using var server = new TestServer(async (response, _) =>
        {
            for (byte[] piece = new byte[Piece]; written < 64_000_000; written += Piece)
            {
                await response.WriteAsync(piece);
                await response.FlushAsync();
            }
        }, s => s.MaxUnsentBytes = limit);
        using RawClient client = server.Connect(receiveBufferSize: 16 * 1024);
        client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        int before = -1;
        for (int same = 0; same < 4; same++) // a moment without progress is none yet
        {
            int now = Volatile.Read(ref written);
            if (now == 0 || now != before)
                same = 0;
            before = now;
            await Task.Delay(150);
        }
        client.Reset();
        return before;
    }

    [Fact]
    public async Task The_system_takes_little_more_than_the_limit_for_a_client_that_does_not_read()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems have no such limit.");
        int limited = await TakenOf(64 * 1024);
        int unlimited = await TakenOf(int.MaxValue);
        // Besides, there is what the client's system has taken, and a piece.
        Assert.True(limited < 64 * 1024 + 128 * 1024, $"{limited} bytes");
        Assert.True(unlimited > 2 * limited, $"{unlimited} bytes, and {limited} with the limit");
    }
}
