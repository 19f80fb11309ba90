using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace NetGo.Http.Tests;

/// <summary>Clients that send or read, but hardly. The time-outs are far beyond what a test waits for, so what ends the connection is the rate.
/// </summary>
public sealed class DataRateTests : IDisposable
{
    private const string Post = "POST / HTTP/1.1\r\nHost: h\r\n";
    private static readonly MinDataRate s_fast = new(10_000_000, TimeSpan.FromMilliseconds(300));
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    private static async Task TrickleAsync(RawClient client, string piece, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            client.SendAnyway(piece);
            await Task.Delay(20, CancellationToken.None);
        }
    }

    [Theory]
    [InlineData("Content-Length: 100000\r\n\r\n", "x", true)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", true)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n4000\r\n", "x", true)]
    [InlineData("Content-Length: 100000\r\n\r\n", "x", false)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", false)]
    public async Task Content_that_trickles_in_ends_the_connection(string framing, string piece, bool read)
    {
        await using var server = new TestServer(read ? Handlers.Echo : Handlers.Ok, s => s.MinRequestBodyDataRate = s_fast);
        using RawClient client = server.Connect();
        client.Send(Post + framing);
        using var stop = new CancellationTokenSource(TestServer.Bound);
        Task sending = TrickleAsync(client, piece, stop.Token);
        byte[] answer = client.ReadToEnd();
        Assert.False(stop.IsCancellationRequested);
        await stop.CancelAsync();
        await sending;
        Assert.StartsWith(read ? "HTTP/1.1 408" : "HTTP/1.1 200", Encoding.Latin1.GetString(answer), StringComparison.Ordinal);
        server.AssertAlive();
    }

    [Fact]
    public async Task A_fast_beginning_does_not_buy_a_long_wait()
    {
        // At this rate the first piece is worth hours, of which no more counts than the time-out.
        await using var server = new TestServer(Handlers.Echo, s =>
        {
            s.MinRequestBodyDataRate = new MinDataRate(1000, TimeSpan.FromMilliseconds(100));
            s.ReadTimeout = TimeSpan.FromSeconds(1);
        });
        using RawClient client = server.Connect();
        client.Send([.. Encoding.Latin1.GetBytes(Post + "Content-Length: 30000000\r\n\r\n"), .. new byte[15_000_000]]);
        using var stop = new CancellationTokenSource(TestServer.Bound);
        Task sending = TrickleAsync(client, "x", stop.Token);
        Assert.Equal(408, client.ReadResponse().StatusCode);
        await stop.CancelAsync();
        await sending;
    }

    [Fact]
    public async Task Content_that_is_fast_enough_and_what_the_handler_takes_its_time_for_is_no_trickle()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            byte[] buffer = new byte[10];
            for (int n, i = 0; (n = await request.Body.ReadAsync(buffer)) > 0; i++)
            {
                if (i == 0)
                    await Task.Delay(2500); // no wait of the server's
                await response.WriteAsync(buffer.AsMemory(0, n));
            }
        }, s => s.MinRequestBodyDataRate = new MinDataRate(1e-3, TimeSpan.FromSeconds(2)));
        using RawClient client = server.Connect();
        client.Send(Post + "Content-Length: 20\r\n\r\n0123456789");
        await Task.Delay(100);
        client.Send("abcdefghij");
        Assert.Equal("0123456789abcdefghij", client.ReadResponse().Text);
    }

    [Fact]
    public async Task Without_a_rate_content_may_trickle()
    {
        await using var server = new TestServer(Handlers.Echo, s => s.MinRequestBodyDataRate = null);
        using RawClient client = server.Connect();
        client.Send(Post + "Content-Length: 30\r\n\r\n");
        for (int i = 0; i < 30; i++)
        {
            await Task.Delay(20);
            client.Send("x");
        }
        Assert.Equal(30, client.ReadResponse().Text.Length);
    }

    [Fact]
    public async Task A_read_deadline_of_the_handler_s_own_goes_before_the_rate()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            response.SetReadDeadline(TestServer.Bound);
            await Handlers.Echo(response, request);
        }, s => s.MinRequestBodyDataRate = s_fast);
        using RawClient client = server.Connect();
        client.Send(Post + "Content-Length: 2\r\n\r\n");
        await Task.Delay(1000);
        client.Send("ok");
        Assert.Equal("ok", client.ReadResponse().Text);
    }

    public enum Way
    {
        Buffer,
        File,
        Tls,
    }

    public static TheoryData<Way> Ways => [Way.Buffer, Way.File, Way.Tls];

    private async ValueTask SendLarge(Way way, ResponseWriter response, int length)
    {
        if (way == Way.File)
        {
            using SafeFileHandle file = File.OpenHandle(_path);
            await response.SendFileAsync(file, 0, length);
        }
        else
        {
            await response.WriteAsync(new byte[length]);
        }
    }

    // Reads a little now and then, from the socket, until the end or as much as was asked for. TLS is not decrypted. On a thread of its own: that of
    // a pool may be long in coming.
    private static Task<long> ReadSlowlyAsync(Socket socket, int piece, TimeSpan pause, long atMost) => Task.Factory.StartNew(
        () =>
        {
            byte[] buffer = new byte[piece];
            long total = 0;
            socket.ReceiveTimeout = RawClient.BoundMilliseconds;
            try
            {
                for (int n; total < atMost && (n = socket.Receive(buffer)) > 0; total += n)
                    Thread.Sleep(pause);
            }
            catch (SocketException e) when (e.SocketErrorCode != SocketError.TimedOut)
            {
                return -1; // reset
            }
            return total;
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static async Task<Socket> RequestAsync(TestServer server, Way way)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = 32 * 1024 };
        await socket.ConnectAsync(server.EndPoint);
        byte[] request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"u8.ToArray();
        if (way != Way.Tls)
        {
            await socket.SendAsync(request);
            return socket;
        }
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: false), leaveInnerStreamOpen: true, static (_, given, _, _) => given is not null);
        await tls.AuthenticateAsClientAsync("one.test");
        await tls.WriteAsync(request);
        return socket;
    }

    private static TlsOptions? TlsFor(Way way)
    {
        if (way != Way.Tls)
            return null;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 made = new CertificateRequest("CN=one.test", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return new TlsOptions { Certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null) };
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_client_that_reads_hardly_is_reset(Way way)
    {
        const int Length = 30_000_000;
        await File.WriteAllBytesAsync(_path, new byte[Length]);
        var failed = new TaskCompletionSource<Exception?>();
        await using var server = new TestServer(new HandlerFunc(async (response, _) =>
        {
            try
            {
                await SendLarge(way, response, Length);
                failed.SetResult(null);
            }
            catch (Exception e)
            {
                failed.SetResult(e);
                throw;
            }
        }), s => s.MinResponseDataRate = s_fast, tls: TlsFor(way));
        using Socket socket = await RequestAsync(server, way);
        Task<long> reading = ReadSlowlyAsync(socket, 4000, TimeSpan.FromMilliseconds(10), Length);
        Assert.IsType<IOException>(await failed.Task.WaitAsync(TestServer.Bound), exactMatch: false);
        Assert.True(SpinWait.SpinUntil(() => server.Server.ConnectionCount == 0, RawClient.BoundMilliseconds), "The connection is still open.");
        socket.Dispose();
        await reading.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_client_that_reads_little_at_a_time_is_not_one_that_reads_nothing(Way way)
    {
        // The system says that there is room when a third of its buffer is free, which takes longer here than the time-out.
        const int Length = 8_000_000;
        await File.WriteAllBytesAsync(_path, new byte[Length]);
        var ended = new TaskCompletionSource<Exception?>();
        await using var server = new TestServer(new HandlerFunc(async (response, _) =>
        {
            ended.SetResult(await Record.ExceptionAsync(async () => await SendLarge(way, response, Length)));
        }), s =>
        {
            s.WriteTimeout = TimeSpan.FromSeconds(1);
            s.MaxUnsentBytes = int.MaxValue; // or the system would tell of room sooner
        }, tls: TlsFor(way));
        using Socket socket = await RequestAsync(server, way);
        Assert.Equal(800_000, await ReadSlowlyAsync(socket, 8_000, TimeSpan.FromMilliseconds(30), 800_000), 8_000d);
        Assert.False(ended.Task.IsCompleted, $"{(ended.Task.IsCompleted ? await ended.Task : null)}");
        Task<long> rest = ReadSlowlyAsync(socket, 1_000_000, TimeSpan.Zero, Length);
        Assert.Null(await ended.Task.WaitAsync(TestServer.Bound));
        await server.DisposeAsync();
        await rest;
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_client_that_reads_nothing_is_reset(Way way)
    {
        const int Length = 30_000_000;
        await File.WriteAllBytesAsync(_path, new byte[Length]);
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(
            new HandlerFunc((response, _) =>
            {
                entered.TrySetResult();
                return SendLarge(way, response, Length);
            }),
            s => s.WriteTimeout = TimeSpan.FromMilliseconds(300), tls: TlsFor(way));
        using Socket socket = await RequestAsync(server, way);
        await entered.Task.WaitAsync(TestServer.Bound);
        Assert.True(SpinWait.SpinUntil(() => server.Server.ConnectionCount == 0, RawClient.BoundMilliseconds), "The connection is still open.");
        Assert.Equal(-1, await ReadSlowlyAsync(socket, 1_000_000, TimeSpan.Zero, Length));
    }
}
