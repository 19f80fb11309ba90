using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

/// <summary>Dialling names, whose addresses are made up here; those on loopback are real, and so are the connections.</summary>
public sealed class HappyEyeballsTests : DialFixture
{
    private static readonly TimeSpan s_never = TimeSpan.FromDays(1);

    private static Func<string, AddressFamily, CancellationToken, Task<IPAddress[]>> Resolving(params string[] addresses) =>
        (_, _, _) => Task.FromResult(Array.ConvertAll(addresses, IPAddress.Parse));

    private static DnsEndPoint Name(int port) => new("made-up.example", port);

    // ---- Which address ----

    [Fact]
    public async Task The_first_that_answers()
    {
        Socket listener = Listen("127.0.0.4", "127.0.0.2", "127.0.0.3");
        Socket other = Opened(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        other.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.5"), PortOf(listener)));
        other.Listen();
        var dialer = new NetDialer { Resolver = Resolving("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5") };
        await ExchangeAsync(listener, await Dial(dialer, Name(PortOf(listener))));
        Assert.False(other.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task The_other_family_at_once_when_the_first_refuses()
    {
        Socket listener = Listen("127.0.0.1", "::1");
        var dialer = new NetDialer { Resolver = Resolving("::1", "127.0.0.1"), FallbackDelay = s_never };
        await ExchangeAsync(listener, await Dial(dialer, Name(PortOf(listener))));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    public async Task The_other_family_after_the_delay_when_the_first_is_silent(int milliseconds)
    {
        Socket listener = Listen("127.0.0.1", "::1");
        Opened(new Blackhole("::1", PortOf(listener)));
        var dialer = new NetDialer
        {
            Resolver = Resolving("::1", "127.0.0.1"),
            FallbackDelay = TimeSpan.FromMilliseconds(milliseconds),
        };
        int sockets = OpenSockets.Count;
        NetConnection connection = await Dial(dialer, Name(PortOf(listener)));
        // The other's is closed by now.
        Assert.True(OpenSockets.Are(sockets + 1), $"{OpenSockets.Count} sockets, {sockets} before");
        await ExchangeAsync(listener, connection);
    }

    [Fact]
    public async Task The_other_family_is_left_alone_when_the_first_answers()
    {
        Socket listener = Listen("127.0.0.1", "::1");
        Socket other = Opened(new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp));
        other.Bind(new IPEndPoint(IPAddress.IPv6Loopback, PortOf(listener)));
        other.Listen();
        var dialer = new NetDialer { Resolver = Resolving("127.0.0.1", "::1"), FallbackDelay = s_never };
        await ExchangeAsync(listener, await Dial(dialer, Name(PortOf(listener))));
        Assert.False(other.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task All_in_turn_when_there_is_no_race()
    {
        List<IPAddress> tried = [];
        var dialer = new NetDialer
        {
            Resolver = Resolving("::1", "127.0.0.1", "::2", "127.0.0.2"),
            FallbackDelay = TimeSpan.FromMilliseconds(-1),
            Attempt = (endPoint, _, _) =>
            {
                tried.Add(endPoint.Address);
                throw new SocketException((int)SocketError.ConnectionRefused);
            },
        };
        await Assert.ThrowsAsync<SocketException>(() => Dial(dialer, Name(1)));
        Assert.Equal(Array.ConvertAll(["::1", "127.0.0.1", "::2", "127.0.0.2"], IPAddress.Parse), tried);
    }

    [Theory]
    [InlineData("::1")]
    [InlineData("127.0.0.1")]
    public async Task Who_connects_second_is_closed(string second)
    {
        // The second one's attempt does not heed its token, and ends when the first one has won.
        Socket listener = Listen("127.0.0.1", "127.0.0.2");
        Socket late = Opened(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        late.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.2"), PortOf(listener)));
        late.Listen();
        var plain = new NetDialer();
        var dialer = new NetDialer
        {
            Resolver = Resolving("::1", "127.0.0.1"),
            FallbackDelay = TimeSpan.Zero,
            Attempt = async (endPoint, _, token) =>
            {
                if (!endPoint.Address.Equals(IPAddress.Parse(second)))
                    return await plain.DialAsync(listener.LocalEndPoint!, CancellationToken.None);
                while (!token.IsCancellationRequested)
                    await Go.SleepAsync(TimeSpan.FromMilliseconds(1), CancellationToken.None);
                return await plain.DialAsync(late.LocalEndPoint!, CancellationToken.None);
            },
        };
        int sockets = OpenSockets.Count;
        NetConnection connection = await Dial(dialer, Name(1));
        Assert.True(OpenSockets.Are(sockets + 1), $"{OpenSockets.Count} sockets, {sockets} before");
        await ExchangeAsync(listener, connection);
        using Socket peer = await late.AcceptAsync().Within();
        Assert.Equal(0, await peer.ReceiveAsync(new byte[1]).Within());
    }

    [Fact]
    public async Task Only_addresses_of_the_local_end_points_family()
    {
        Socket listener = Listen("127.0.0.1", "::1");
        var dialer = new NetDialer
        {
            Resolver = Resolving("::1", "127.0.0.1"),
            LocalEndPoint = IPEndPoint.Parse("127.0.0.2:0"),
            FallbackDelay = s_never,
        };
        await ExchangeAsync(listener, await Dial(dialer, Name(PortOf(listener))));
        dialer = new NetDialer { Resolver = Resolving("::1"), LocalEndPoint = IPEndPoint.Parse("127.0.0.2:0") };
        var e = await Assert.ThrowsAsync<SocketException>(() => Dial(dialer, Name(PortOf(listener))));
        Assert.Equal(SocketError.NoData, e.SocketErrorCode);
    }

    // ---- Time ----

    private sealed class StoppedClock : TimeProvider
    {
        public override long GetTimestamp() => 5_000_000_000;

        public override long TimestampFrequency => 1_000_000_000;
    }

    [Theory]
    [InlineData(60, new[] { 20, 30, 60 })]
    [InlineData(3, new[] { 2, 2, 3 })] // no less than two seconds, but for the last
    [InlineData(1, new[] { 1, 1, 1 })]
    public async Task The_addresses_share_the_time(int seconds, int[] expected)
    {
        var options = new SchedulerOptions { MaxProcs = 1, TimeProvider = new StoppedClock() };
        using GoScheduler scheduler = Bounded.NewScheduler(options);
        List<long> shares = [];
        var dialer = new NetDialer
        {
            Resolver = Resolving("127.0.0.1", "127.0.0.2", "127.0.0.3"),
            Timeout = TimeSpan.FromSeconds(seconds),
            Attempt = (_, deadline, _) =>
            {
                shares.Add((deadline - scheduler.Now()) / 1_000_000_000);
                throw new TimeoutException();
            },
        };
        Task dial = scheduler.RunAsync(async () => await dialer.DialAsync(Name(1)));
        await Assert.ThrowsAsync<TimeoutException>(() => dial.Within());
        Assert.Equal(Array.ConvertAll(expected, s => (long)s), shares);
    }

    [Fact]
    public async Task A_time_out_while_both_families_are_silent()
    {
        Blackhole v4 = Opened(new Blackhole("127.0.0.1"));
        Opened(new Blackhole("::1", v4.EndPoint.Port));
        var dialer = new NetDialer
        {
            Resolver = Resolving("::1", "127.0.0.1"),
            FallbackDelay = TimeSpan.Zero,
            Timeout = TimeSpan.FromMilliseconds(50),
        };
        var e = await Assert.ThrowsAsync<TimeoutException>(() => Dial(dialer, Name(v4.EndPoint.Port)));
        Assert.Contains("made-up.example", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("::1", "127.0.0.1")]
    [InlineData("127.0.0.1", "::1")]
    [InlineData("127.0.0.2", "127.0.0.1")]
    public async Task That_time_is_out_is_said_even_if_another_address_had_refused(string refusing, string silent)
    {
        using var blackhole = new Blackhole(silent);
        var dialer = new NetDialer { Resolver = Resolving(refusing, silent), Timeout = TimeSpan.FromMilliseconds(50) };
        await Assert.ThrowsAsync<TimeoutException>(() => Dial(dialer, Name(blackhole.EndPoint.Port)));
    }

    [Fact]
    public async Task Cancellation_ends_both()
    {
        Blackhole v4 = Opened(new Blackhole("127.0.0.1"));
        Opened(new Blackhole("::1", v4.EndPoint.Port));
        var dialer = new NetDialer { Resolver = Resolving("::1", "127.0.0.1"), FallbackDelay = TimeSpan.Zero };
        for (int i = 0; i < 10; i++)
        {
            using var source = new CancellationTokenSource();
            int sockets = OpenSockets.Count;
            Task dial = Dial(dialer, Name(v4.EndPoint.Port), source.Token);
            Bounded.Until(() => OpenSockets.Are(sockets + 2) && Scheduler.AllIdle, "both are being tried");
            await source.CancelAsync();
            var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial);
            Assert.Equal(source.Token, e.CancellationToken);
            Assert.True(OpenSockets.Are(sockets), $"{OpenSockets.Count} sockets, {sockets} before");
        }
    }

    // ---- Errors ----

    [Fact]
    public async Task The_first_ones_error_is_told_and_none_is_left_unobserved()
    {
        var unobserved = new ConcurrentQueue<Exception>();
        void Note(object? sender, UnobservedTaskExceptionEventArgs e)
        {
            foreach (Exception inner in e.Exception.InnerExceptions)
                unobserved.Enqueue(inner);
        }

        HashSet<Exception> thrown;
        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            thrown = await FailAsync();
            for (int i = 0; i < 3; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }
        Assert.Equal(3, thrown.Count);
        Assert.DoesNotContain(unobserved, thrown.Contains); // other tests' may be among them
    }

    private async Task<HashSet<Exception>> FailAsync()
    {
        var thrown = new ConcurrentQueue<Exception>();
        var dialer = new NetDialer
        {
            Resolver = Resolving("::1", "::2", "127.0.0.1"),
            Attempt = (endPoint, _, _) =>
            {
                var error = new SocketException((int)(endPoint.Address.Equals(IPAddress.IPv6Loopback) ? SocketError.ConnectionRefused : SocketError.HostUnreachable));
                thrown.Enqueue(error);
                throw error;
            },
        };
        var e = await Assert.ThrowsAsync<SocketException>(() => Dial(dialer, Name(1)));
        Assert.Equal(SocketError.ConnectionRefused, e.SocketErrorCode);
        return [.. thrown];
    }

    [Fact]
    public async Task An_error_names_the_name_and_the_address()
    {
        var dialer = new NetDialer { Resolver = Resolving("127.0.0.1") };
        int port = UnusedPort();
        var e = await Assert.ThrowsAsync<SocketException>(() => Dial(dialer, Name(port)));
        Assert.Contains($"made-up.example:{port} at 127.0.0.1:{port}", e.Message, StringComparison.Ordinal);
    }

    // ---- The resolver ----

    [Theory]
    [InlineData(AddressFamily.Unspecified)]
    [InlineData(AddressFamily.InterNetworkV6)]
    public async Task It_is_asked_for_the_name_and_the_family(AddressFamily family)
    {
        Socket listener = Listen("127.0.0.1");
        (string, AddressFamily) asked = default;
        var dialer = new NetDialer
        {
            Resolver = (name, wanted, _) =>
            {
                asked = (name, wanted);
                return Task.FromResult<IPAddress[]>([IPAddress.Loopback]);
            },
        };
        await Dial(dialer, new DnsEndPoint("made-up.example", PortOf(listener), family));
        Assert.Equal(("made-up.example", family), asked);
    }

    [Fact]
    public async Task A_name_that_is_not_known()
    {
        var dialer = new NetDialer
        {
            Resolver = async (_, _, _) =>
            {
                await Task.Yield();
                throw new SocketException((int)SocketError.HostNotFound);
            },
        };
        var e = await Assert.ThrowsAsync<SocketException>(() => Dial(dialer, Name(1)));
        Assert.Equal(SocketError.HostNotFound, e.SocketErrorCode);
        Assert.Contains("made-up.example:1", e.Message, StringComparison.Ordinal);
        dialer = new NetDialer { Resolver = Resolving() };
        e = await Assert.ThrowsAsync<SocketException>(() => Dial(dialer, Name(1)));
        Assert.Equal(SocketError.NoData, e.SocketErrorCode);
    }

    [Fact]
    public async Task One_that_does_not_answer()
    {
        var silent = new TaskCompletionSource<IPAddress[]>();
        var dialer = new NetDialer { Resolver = (_, _, _) => silent.Task, Timeout = TimeSpan.FromMilliseconds(30) };
        var e = await Assert.ThrowsAsync<TimeoutException>(() => Dial(dialer, Name(1)));
        Assert.Contains("made-up.example:1", e.Message, StringComparison.Ordinal);
        using var source = new CancellationTokenSource();
        dialer = new NetDialer { Resolver = (_, _, _) => silent.Task };
        Task dial = DialParked(dialer, Name(1), source.Token);
        await source.CancelAsync();
        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dial);
        Assert.Equal(source.Token, cancelled.CancellationToken);
    }

    [Fact]
    public async Task The_caller_goes_on_on_its_goroutine()
    {
        Socket listener = Listen("127.0.0.1", "::1");
        var dialer = new NetDialer
        {
            Resolver = async (_, _, _) =>
            {
                await Task.Run(static () => { }, CancellationToken.None);
                return [IPAddress.IPv6Loopback, IPAddress.Loopback];
            },
        };
        await Run(async () =>
        {
            SynchronizationContext? goroutine = SynchronizationContext.Current;
            Assert.IsType<Goroutine>(goroutine);
            using NetConnection connection = await dialer.DialAsync(Name(PortOf(listener)));
            Assert.Same(goroutine, SynchronizationContext.Current);
            Assert.Same(Scheduler, Machine.OfThisThread!.Scheduler);
            Assert.Same(Scheduler, connection.Scheduler);
        });
    }
}
