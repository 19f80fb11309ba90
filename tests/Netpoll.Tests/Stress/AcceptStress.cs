using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests.Stress;

/// <summary>Accepting goes on whatever becomes of single connections, and when there are no descriptors left it waits for some.</summary>
public sealed class AcceptStress
{
    private const string LinuxOnly = "Descriptors are limited by setrlimit(2) and counted in /proc here.";

    private static Socket Connect(int port)
    {
        var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        peer.Connect(new IPEndPoint(IPAddress.Loopback, port));
        return peer;
    }

    private static void Reset(Socket peer)
    {
        peer.LingerState = new LingerOption(true, 0);
        peer.Dispose();
    }

    private static void AssertEchoes(Socket peer, byte b)
    {
        peer.Send([b]);
        AssertReceives(peer, b);
    }

    private static void AssertReceives(Socket peer, byte b)
    {
        byte[] answer = new byte[1];
        peer.ReceiveTimeout = (int)Bounded.Limit.TotalMilliseconds;
        Assert.Equal(1, peer.Receive(answer));
        Assert.Equal(b, answer[0]);
    }

    // ---- Out of descriptors ----

    [Fact]
    public void Without_descriptors_it_waits_and_says_so_and_recovers()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        const int Spare = 40, Count = 3 * Spare;
        using var server = new Child("server", $"{Spare}");
        int port = int.Parse(server.Expect("port"));
        var waiting = new List<Socket>();
        try
        {
            for (int i = 0; i < Count; i++)
            {
                waiting.Add(Connect(port));
                waiting[i].Send([7]);
            }
            Bounded.Until(() => server.Log.Length > 0 && waiting.Exists(static s => s.Available > 0), "it says that it has none, and answers those that it has");
            List<Socket> served = Answered(waiting);
            Assert.InRange(served.Count, 1, Spare);

            // It does not spin, though others come meanwhile.
            double before = double.Parse(server.Ask("cpu"));
            long start = Environment.TickCount64;
            while (Environment.TickCount64 - start < 1500)
            {
                Thread.Sleep(20);
                waiting.Add(Connect(port));
                waiting[^1].Send([7]);
            }
            Assert.InRange(double.Parse(server.Ask("cpu")) - before, 0, 500);
            // A few may have come in, in place of a file that the runtime has closed; it says so, and that it has none again.
            AssertAlternates(server.Log);
            Assert.InRange(server.Log.Length, 1, 7);
            served.AddRange(Answered(waiting));
            Assert.InRange(served.Count, 1, Spare);

            // As some go, others come in, and at last all have been served.
            while (true)
            {
                foreach (Socket peer in served)
                    peer.Dispose();
                if (waiting.Count == 0)
                    break;
                Bounded.Until(() => waiting.Exists(static p => p.Available > 0), "more are served");
                served = Answered(waiting);
            }
            Bounded.Until(() => server.Log[^1].StartsWith("Information", StringComparison.Ordinal), "it says that it has recovered");
            AssertAlternates(server.Log);
            server.Ask("close");
            Assert.Equal("0", server.Ask("left"));
        }
        finally
        {
            waiting.ForEach(static p => p.Dispose());
        }
    }

    // That there are none is said once for each time that they have run out, and that there are some, before it is said again.
    private static void AssertAlternates(string[] log) =>
        Assert.All(log.Select((line, i) => (line, i)), static l => Assert.StartsWith(l.i % 2 == 0 ? "Error" : "Information", l.line));

    // Those that have an answer, taken out of the list.
    private static List<Socket> Answered(List<Socket> waiting)
    {
        List<Socket> answered = waiting.FindAll(static p => p.Available > 0);
        waiting.RemoveAll(answered.Contains);
        answered.ForEach(static p => AssertReceives(p, 7));
        return answered;
    }

    // A socket that does not listen cannot accept, and the clock stands still: the wait is one that nothing but the close can end.
    [Fact]
    public async Task A_close_ends_the_wait_for_descriptors()
    {
        var options = new SchedulerOptions { MaxProcs = 1, TimeProvider = new StandingClock() };
        using GoScheduler scheduler = Bounded.NewScheduler(options);
        nint descriptor = SystemSockets.Open(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp, out int error);
        Assert.Equal(0, error);
        SocketAddress address = new IPEndPoint(IPAddress.Loopback, 0).Serialize();
        SystemSockets.Require(SystemSockets.Bind(descriptor, address.Buffer.Span[..address.Size]), "bind");
        var logger = new MemoryLogger();
        var listener = new ListenSocket(scheduler, [PollerSelection.For(scheduler, 0)], descriptor, new ListenOptions { Logger = logger });
        Task<NetConnection?> accept = scheduler.RunAsync(async () => await listener.AcceptAsync());
        Bounded.Until(() => logger.Entries.Any() && scheduler.AllIdle, "it waits");
        Assert.False(accept.IsCompleted);
        listener.Close();
        Assert.Null(await accept.Within());
        Assert.Single(logger.Entries);
        Bounded.NoneLeft(scheduler);
    }

    private sealed class StandingClock : TimeProvider
    {
        public override long GetTimestamp() => 0;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch;
    }

    // ---- Errors of single connections ----

    [Fact]
    public async Task A_thousand_that_are_reset_before_they_are_accepted()
    {
        const int Count = 1000;
        Leftovers left = await Leftovers.CountAsync();
        using (var net = new Loopback(2, 2))
        {
            for (int i = 0; i < Count; i++)
                Reset(Connect(net.LocalEndPoint.Port));
            using Socket last = Connect(net.LocalEndPoint.Port);
            int accepted = 0, failed = 0;
            Task serve = Task.WhenAll(Enumerable.Range(0, net.Listener.ShardCount).Select(shard => net.Scheduler.RunAsync(async () =>
            {
                while (await net.Listener.AcceptAsync(shard) is { } connection)
                {
                    Interlocked.Increment(ref accepted);
                    Go.Spawn(async () =>
                    {
                        using (connection)
                        {
                            byte[] one = new byte[1];
                            try
                            {
                                while (await connection.ReadAsync(one) > 0)
                                    await connection.WriteAsync(one);
                            }
                            catch (IOException)
                            {
                                Interlocked.Increment(ref failed);
                            }
                        }
                    });
                }
            })));
            AssertEchoes(last, 9);
            // Some systems forget those that were reset, others hand them over.
            Bounded.Until(() => Volatile.Read(ref failed) == Volatile.Read(ref accepted) - 1, "all but the last have failed");
            net.Listener.Close();
            await serve.Within();
        }
        left.None();
    }

    [Theory]
    [InlineData("ECONNABORTED", "1+2")]
    [InlineData("EPROTO", "1+2")]
    [InlineData("EHOSTUNREACH", "1+2")]
    [InlineData("EINTR", "1+2")]
    [InlineData("EMFILE", "1..4")] // of each thread
    [InlineData("ENOBUFS", "3..6")]
    public void Errors_of_accept_are_survived(string error, string calls)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Errors are injected by strace(1).");
        Assert.SkipUnless(File.Exists("/usr/bin/strace"), "strace is not installed.");
        const int Count = 100;
        using var server = new Child(
            ["/usr/bin/strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=accept4", "-e", $"inject=accept4:error={error}:when={calls}"],
            ["server"]);
        int port = int.Parse(server.Expect("port"));
        var peers = new List<Socket>();
        try
        {
            for (int i = 0; i < Count; i++)
            {
                peers.Add(Connect(port));
                AssertEchoes(peers[i], (byte)i);
            }
        }
        finally
        {
            peers.ForEach(static p => p.Dispose());
        }
        server.Ask("close");
        Assert.Equal("0", server.Ask("left"));
        if (error is "EMFILE" or "ENOBUFS")
            AssertAlternates(server.Log);
        else
            Assert.Empty(server.Log);
    }
}
