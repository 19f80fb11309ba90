using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace NetGo.Netpoll.Tests;

public sealed class NetStreamTests : DialFixture
{
    private const int Mebibyte = 1 << 20;

    private static byte[] Pattern(int length, int seed = 1)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>A connection of ours, and a System.Net.Sockets peer.</summary>
    private async Task<(NetStream Stream, Socket Peer)> ConnectAsync()
    {
        Socket listener = Listen("127.0.0.1");
        NetConnection connection = await Dial(new NetDialer(), listener.LocalEndPoint!);
        return (Opened(connection.AsStream()), Opened(await listener.AcceptAsync().Within()));
    }

    /// <summary>A connection both of whose ends are ours.</summary>
    private async Task<(NetStream Server, NetStream Client)> ConnectBothAsync()
    {
        var options = new ListenOptions { Shards = 1 };
        NetListener listener = Opened(NetListener.Listen(Scheduler, new IPEndPoint(IPAddress.Loopback, 0), options));
        NetConnection client = await Dial(new NetDialer(), listener.LocalEndPoint);
        NetConnection server = (await Run(async () => await listener.AcceptAsync(0)))!;
        return (Opened(server.AsStream()), Opened(client.AsStream()));
    }

    // ---- Asynchronous ----

    [Fact]
    public async Task Reads_and_writes_are_the_connections_own()
    {
        var (stream, peer) = await ConnectAsync();
        byte[] sent = Pattern(3 * Mebibyte);
        Task write = Run(async () => await stream.WriteAsync(sent));
        byte[] got = new byte[sent.Length];
        for (int n = 0; n < got.Length;)
            n += await peer.ReceiveAsync(got.AsMemory(n)).AsTask().Within();
        await write;
        Assert.Equal(sent, got);
        await peer.SendAsync(new byte[7]).Within();
        Assert.Equal(7, await Run(async () => await stream.ReadAsync(new byte[10])));
        await Run(() => stream.FlushAsync());
        peer.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await Run(async () => await stream.ReadAsync(new byte[10])));
    }

    [Fact]
    public async Task Reads_and_writes_that_need_not_wait_allocate_nothing()
    {
        var (stream, peer) = await ConnectAsync();
        byte[] buffer = new byte[16], received = new byte[16];
        long allocated = long.MaxValue;
        for (int attempt = 0; attempt < 20 && allocated != 0; attempt++) // the first calls compile, and one may lose its thread
        {
            peer.Send(new byte[17]);
            allocated = await Run(async () =>
            {
                int read = await stream.ReadAsync(buffer.AsMemory(0, 1)); // they have arrived
                int thread = Environment.CurrentManagedThreadId;
                long before = GC.GetAllocatedBytesForCurrentThread();
                for (int i = 0; i < 16; i++)
                {
                    await stream.WriteAsync(buffer.AsMemory(0, 1));
                    read += await stream.ReadAsync(buffer.AsMemory(0, 1));
                }
                long after = GC.GetAllocatedBytesForCurrentThread();
                Assert.Equal(17, read);
                return thread == Environment.CurrentManagedThreadId ? after - before : long.MaxValue;
            });
            for (int n = 0; n < 16;)
                n += peer.Receive(received);
        }
        Assert.Equal(0, allocated);
    }

    [Fact]
    public async Task A_read_into_nothing_waits_until_there_is_something()
    {
        var (stream, peer) = await ConnectAsync();
        Task<int> async = Run(async () => await stream.ReadAsync(Memory<byte>.Empty));
        Bounded.Until(() => Scheduler.AllIdle, "parked");
        Assert.False(async.IsCompleted);
        await peer.SendAsync(new byte[1]).Within();
        Assert.Equal(0, await async);
        Assert.Equal(0, await Task.Run(() => stream.Read([])).Within());
        Assert.Equal(1, await Run(async () => await stream.ReadAsync(new byte[10])));
        Task<int> sync = Task.Run(() => stream.Read([])).Within();
        UntilBlocked();
        Assert.False(sync.IsCompleted);
        await peer.SendAsync(new byte[1]).Within();
        Assert.Equal(0, await sync);
    }

    [Fact]
    public async Task The_older_ways_to_call_it()
    {
        var (stream, peer) = await ConnectAsync();
        byte[] buffer = new byte[10];
        IAsyncResult write = stream.BeginWrite([1, 2, 3, 4], 1, 2, null, null);
        await Task.Run(() => stream.EndWrite(write)).Within();
        Assert.Equal(2, await peer.ReceiveAsync(buffer).Within());
        Assert.Equal([2, 3], buffer[..2]);
        var called = new TaskCompletionSource<IAsyncResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        stream.BeginRead(buffer, 3, 5, called.SetResult, "state");
        await peer.SendAsync(new byte[] { 7, 8 }).Within();
        IAsyncResult read = await called.Task.Within();
        Assert.Equal("state", read.AsyncState);
        Assert.Equal(2, stream.EndRead(read));
        Assert.Equal([7, 8], buffer[3..5]);
        await peer.SendAsync(new byte[] { 9 }).Within();
        Assert.Equal(1, await Run(() => stream.ReadAsync(buffer, 1, 3, CancellationToken.None)));
        Assert.Equal(9, buffer[1]);
        await Run(() => stream.WriteAsync(buffer, 1, 1, CancellationToken.None));
        Assert.Equal(1, await peer.ReceiveAsync(buffer).Within());
    }

    [Fact]
    public async Task Cancellation_and_the_connections_deadlines()
    {
        var (stream, peer) = await ConnectAsync();
        stream.ReadTimeout = 1; // for the synchronous ones only
        using var source = new CancellationTokenSource();
        Task<int> read = Run(async () => await stream.ReadAsync(new byte[1], source.Token));
        await Run(async () => await Go.SleepAsync(TimeSpan.FromMilliseconds(30)));
        Assert.False(read.IsCompleted);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        stream.Connection.SetReadDeadline(TimeSpan.FromMilliseconds(20));
        await Assert.ThrowsAsync<TimeoutException>(() => Run(async () => await stream.ReadAsync(new byte[1])));
        stream.ReadTimeout = Timeout.Infinite;
        await Assert.ThrowsAsync<TimeoutException>(() => Task.Run(() => stream.Read(new byte[1])).Within());
        stream.Connection.SetReadDeadline(null);
        await peer.SendAsync(new byte[3]).Within();
        Assert.Equal(3, await Run(async () => await stream.ReadAsync(new byte[9])));
    }

    // ---- Synchronous ----

    // There is no other goroutine than the one that is to wake the thread.
    private void UntilBlocked() =>
        Bounded.Until(() => Scheduler.Goroutines() is [{ Status: GoroutineStatus.Waiting }], "it waits");

    [Theory]
    [InlineData("goroutine")]
    [InlineData("goroutine in Blocking")]
    [InlineData("locked goroutine")]
    [InlineData("thread")]
    public async Task Blocking_reads_and_writes(string where)
    {
        var (stream, peer) = await ConnectAsync();
        byte[] there = Pattern(8 * Mebibyte, 1), back = Pattern(8 * Mebibyte, 2);
        byte[] got = new byte[back.Length];
        void Talk()
        {
            stream.Write(there);
            for (int n = 0; n < got.Length;)
            {
                int read = stream.Read(got.AsSpan(n));
                Assert.True(read > 0);
                n += read;
            }
            Assert.Equal(0, stream.Read(new byte[1], 0, 1));
        }

        Task talk = where switch
        {
            "thread" => Task.Run(Talk),
            "goroutine" => Scheduler.RunAsync(() => Done(Talk)),
            "goroutine in Blocking" => Scheduler.RunAsync(() => Done(() => Go.Blocking(Talk))),
            _ => Scheduler.RunAsync(() => Done(() =>
            {
                Go.LockOSThread();
                Talk();
                Go.UnlockOSThread();
            })),
        };
        byte[] received = new byte[there.Length];
        for (int n = 0; n < received.Length;)
            n += await peer.ReceiveAsync(received.AsMemory(n)).AsTask().Within();
        Assert.Equal(there, received);
        await peer.SendAsync(back).Within();
        peer.Shutdown(SocketShutdown.Send);
        await talk.Within();
        Assert.Equal(back, got);

        static Task Done(Action action)
        {
            action();
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task A_blocking_read_keeps_no_other_goroutine_from_running_and_its_own_its_identity()
    {
        using var net = new Loopback(Bounded.NewSchedulerWithoutTimeSlices(1));
        var (connection, peer) = await net.ConnectAsync();
        using NetStream stream = connection.AsStream();
        Task<int> read = net.Scheduler.RunAsync(async () =>
        {
            SynchronizationContext? before = SynchronizationContext.Current;
            int n = stream.Read(new byte[10]);
            Assert.Same(before, SynchronizationContext.Current);
            Assert.NotNull(Machine.OfThisThread!.Current);
            await Go.YieldAsync();
            Assert.Same(before, SynchronizationContext.Current);
            return n;
        });
        for (int i = 0; i < 10; i++)
            await net.Run(async () => await Go.YieldAsync());
        Assert.False(read.IsCompleted);
        await peer.SendAsync(new byte[4]).Within();
        Assert.Equal(4, await read.Within());
    }

    [Fact]
    public async Task A_blocking_read_ends_by_its_time_out_and_nothing_is_lost()
    {
        var (stream, peer) = await ConnectAsync();
        stream.ReadTimeout = 20;
        for (int i = 0; i < 5; i++)
        {
            var e = await Assert.ThrowsAsync<IOException>(() => Task.Run(() => stream.Read(new byte[1])).Within());
            Assert.Equal(SocketError.TimedOut, Assert.IsType<SocketException>(e.InnerException).SocketErrorCode);
            await peer.SendAsync(new byte[] { 5 }).Within();
            Assert.Equal(5, await Task.Run(stream.ReadByte).Within());
        }
        stream.WriteTimeout = 20;
        for (int i = 0; i < 3; i++)
        {
            byte[] tooMuch = new byte[64 * Mebibyte]; // for what the system takes
            var e = await Assert.ThrowsAsync<IOException>(() => Task.Run(() => stream.Write(tooMuch)).Within());
            Assert.Equal(SocketError.TimedOut, Assert.IsType<SocketException>(e.InnerException).SocketErrorCode);
        }
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.ReadTimeout = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.WriteTimeout = -2);
    }

    [Fact]
    public async Task A_time_out_that_comes_with_bytes_is_forgotten_when_they_have_been_read()
    {
        // The goroutine that wakes the thread has to wait for the only processor, which is when the event comes.
        using GoScheduler scheduler = Bounded.NewSchedulerWithoutTimeSlices(1);
        // Never polled: the event is made by hand.
        using INetPoller poller = OperatingSystem.IsWindows() ? new IocpPoller() : new EpollPoller();
        var (descriptor, peer) = SocketPair.Make();
        using var connection = new NetConnection(scheduler, poller, descriptor, default);
        using (peer)
        {
            bool stop = false;
            using NetStream stream = connection.AsStream();
            stream.ReadTimeout = 20;
            scheduler.Spawn(() =>
            {
                while (!Volatile.Read(ref stop))
                    Thread.SpinWait(20);
            });
            Task<int> read = Task.Run(() => stream.Read(new byte[10])).Within();
            Bounded.Until(() => connection.Desc.Check(PollMode.Read) == PollResult.Cancelled, "its time is out");
            peer.Send([1, 2, 3]);
            GoroutineQueue none = default;
            connection.Desc.EventCame(PollMode.Read, ref none);
            Assert.Equal(0, none.Count);
            Volatile.Write(ref stop, true);
            Assert.Equal(3, await read);
            Assert.Equal(PollResult.Ready, connection.Desc.Check(PollMode.Read));
        }
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public async Task A_second_reader_is_refused()
    {
        var (stream, peer) = await ConnectAsync();
        Task<int> first = Task.Run(() => stream.Read(new byte[10])).Within();
        UntilBlocked();
        Assert.Throws<InvalidOperationException>(() => stream.Read(new byte[10]));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Run(async () => await stream.ReadAsync(new byte[10])));
        await peer.SendAsync(new byte[4]).Within();
        Assert.Equal(4, await first);
    }

    [Fact]
    public async Task Dispose_ends_what_is_blocked()
    {
        for (int i = 0; i < 20; i++)
        {
            var (stream, _) = await ConnectAsync();
            Task<int> read = Task.Run(() => stream.Read(new byte[1])).Within();
            UntilBlocked();
            await stream.DisposeAsync();
            await Assert.ThrowsAsync<ObjectDisposedException>(() => read);
        }
    }

    // ---- The rest ----

    [Fact]
    public async Task What_it_can_and_cannot()
    {
        var (stream, _) = await ConnectAsync();
        Assert.True(stream is { CanRead: true, CanWrite: true, CanTimeout: true, CanSeek: false });
        Assert.Throws<NotSupportedException>(() => stream.Length);
        Assert.Throws<NotSupportedException>(() => stream.Position);
        Assert.Throws<NotSupportedException>(() => stream.Seek(0, SeekOrigin.Begin));
        Assert.Throws<NotSupportedException>(() => stream.SetLength(0));
        stream.Dispose();
        Assert.True(stream is { CanRead: false, CanWrite: false });
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.ReadAsync(new byte[1]).AsTask());
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await stream.WriteAsync(new byte[1]));
        Assert.Throws<ObjectDisposedException>(() => stream.Read(new byte[1]));
        Assert.Throws<ObjectDisposedException>(() => stream.Write(new byte[1]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whether_it_owns_the_connection(bool owns)
    {
        var (stream, peer) = await ConnectAsync();
        stream.Connection.AsStream(owns).Dispose();
        if (owns)
        {
            Assert.Equal(0, await peer.ReceiveAsync(new byte[1]).Within());
            return;
        }
        await Run(async () => await stream.Connection.WriteAsync(new byte[3]));
        Assert.Equal(3, await peer.ReceiveAsync(new byte[10]).Within());
    }

    [Fact]
    public async Task Readers_and_writers_of_text()
    {
        var (server, client) = await ConnectBothAsync();
        Task serve = Run(async () =>
        {
            using var reader = new StreamReader(server);
            await using var writer = new StreamWriter(server) { AutoFlush = true };
            while (await reader.ReadLineAsync() is { } line)
                await writer.WriteLineAsync(line.ToUpperInvariant());
        });
        await Run(async () =>
        {
            using var reader = new StreamReader(client);
            await using var writer = new StreamWriter(client) { AutoFlush = true };
            for (int i = 0; i < 100; i++)
            {
                await writer.WriteLineAsync($"line {i}");
                Assert.Equal($"LINE {i}", await reader.ReadLineAsync());
            }
        });
        await serve;
    }

    // ---- SslStream ----

    private static X509Certificate2 SelfSigned()
    {
        Assert.SkipWhen(Wine.IsHere, "Wine makes no keys for certificates (NCryptCreatePersistedKey).");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=netgo.test", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static SslClientAuthenticationOptions ClientOptions(X509Certificate2 expected) => new()
    {
        TargetHost = "netgo.test",
        EnabledSslProtocols = SslProtocols.Tls13,
        RemoteCertificateValidationCallback = (_, got, _, _) => got!.GetCertHashString() == expected.GetCertHashString(),
    };

    [Fact]
    public async Task Tls_both_ways_at_once()
    {
        using X509Certificate2 certificate = SelfSigned();
        var (serverStream, clientStream) = await ConnectBothAsync();
        byte[] there = Pattern(6 * Mebibyte, 3);

        Task serve = Run(async () =>
        {
            var (goroutine, root) = OnGoroutine();
            await using var tls = new SslStream(serverStream);
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate });
            AssertSame(goroutine, root);
            byte[] buffer = new byte[32 * 1024];
            while (await tls.ReadAsync(buffer) is > 0 and int n)
            {
                AssertSame(goroutine, root);
                await tls.WriteAsync(buffer.AsMemory(0, n));
                AssertSame(goroutine, root);
            }
            await tls.ShutdownAsync();
            AssertSame(goroutine, root);
        });

        await Run(async () =>
        {
            await using var tls = new SslStream(clientStream);
            await tls.AuthenticateAsClientAsync(ClientOptions(certificate));
            Assert.Equal(SslProtocols.Tls13, tls.SslProtocol);
            Task write = Scheduler.RunAsync(async () =>
            {
                var (goroutine, root) = OnGoroutine();
                for (int at = 0; at < there.Length; at += 100_000)
                {
                    await tls.WriteAsync(there.AsMemory(at, Math.Min(100_000, there.Length - at)));
                    AssertSame(goroutine, root);
                }
            });
            byte[] back = new byte[there.Length];
            await tls.ReadExactlyAsync(back);
            await write;
            // Not while something is being decrypted: SslStream's close_notify is lost then, once in fifty times.
            await tls.ShutdownAsync();
            Assert.Equal(0, await tls.ReadAsync(new byte[1])); // the server has read an end, and sent one
            Assert.Equal(there, back);
        });
        await serve;

        (SynchronizationContext Goroutine, GoScheduler Scheduler) OnGoroutine()
        {
            Assert.Same(Scheduler, Machine.OfThisThread!.Scheduler);
            return (Assert.IsType<Goroutine>(SynchronizationContext.Current), Scheduler);
        }

        static void AssertSame(SynchronizationContext goroutine, GoScheduler scheduler)
        {
            Assert.Same(goroutine, SynchronizationContext.Current);
            Assert.Same(scheduler, Machine.OfThisThread?.Scheduler);
        }
    }

    [Fact]
    public async Task Tls_that_blocks()
    {
        using X509Certificate2 certificate = SelfSigned();
        var (serverStream, clientStream) = await ConnectBothAsync();
        Task serve = Scheduler.RunAsync(() =>
        {
            using var tls = new SslStream(serverStream);
            tls.AuthenticateAsServer(certificate);
            byte[] buffer = new byte[1000];
            int n;
            while ((n = tls.Read(buffer)) > 0)
                tls.Write(buffer, 0, n);
            return Task.CompletedTask;
        });
        byte[] sent = Pattern(100_000);
        await Task.Run(() =>
        {
            using var tls = new SslStream(clientStream);
            tls.AuthenticateAsClient(ClientOptions(certificate));
            byte[] got = new byte[1000];
            for (int at = 0; at < sent.Length; at += 1000)
            {
                tls.Write(sent, at, 1000);
                tls.ReadExactly(got);
                Assert.Equal(sent[at..(at + 1000)], got);
            }
        }).Within();
        await serve.Within();
    }

    // ---- HttpClient ----

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HttpClient_over_a_dialler(bool onGoroutine)
    {
        NetListener listener = Opened(NetListener.Listen(Scheduler, new IPEndPoint(IPAddress.Loopback, 0), null));
        int connections = 0;
        Scheduler.Spawn(async () =>
        {
            while (true)
            {
                NetConnection connection;
                try
                {
                    connection = await listener.AcceptAsync();
                }
                catch (ObjectDisposedException)
                {
                    return;
                }
                connections++;
                Go.Spawn(() => RespondAsync(connection));
            }
        });
        var dialer = new NetDialer();
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, token) => (await dialer.DialAsync(context.DnsEndPoint, token)).AsStream(),
        };
        using var client = new HttpClient(handler);
        var uri = new Uri($"http://localhost:{((IPEndPoint)listener.LocalEndPoint).Port}/");
        async Task GetAsync()
        {
            SynchronizationContext? context = SynchronizationContext.Current;
            for (int i = 0; i < 5; i++)
            {
                Assert.Equal($"GET {i}", await client.GetStringAsync(new Uri(uri, $"{i}")));
                Assert.Same(context, SynchronizationContext.Current);
            }
            Assert.Equal(1, connections); // kept alive
            Assert.Equal("GET bye", await client.GetStringAsync(new Uri(uri, "bye"))); // the server closes this one
            Assert.Equal("GET again", await client.GetStringAsync(new Uri(uri, "again")));
            Assert.Equal(2, connections);
        }

        await (onGoroutine ? Run(GetAsync) : Task.Run(GetAsync).Within());
        listener.Close();
        client.Dispose();
    }

    private static async Task RespondAsync(NetConnection connection)
    {
        using (connection)
        {
            using var reader = new StreamReader(connection.AsStream());
            while (await reader.ReadLineAsync() is { } requestLine)
            {
                while (await reader.ReadLineAsync() is { Length: > 0 })
                {
                }
                string content = requestLine.Split(' ') is [var method, var target, ..] ? $"{method} {target[1..]}" : "?";
                bool bye = content.EndsWith("bye", StringComparison.Ordinal);
                string close = bye ? "Connection: close\r\n" : "";
                string response = $"HTTP/1.1 200 OK\r\nContent-Length: {content.Length}\r\n{close}\r\n{content}";
                await connection.WriteAsync(Encoding.ASCII.GetBytes(response));
                if (bye)
                    return;
            }
        }
    }
}
