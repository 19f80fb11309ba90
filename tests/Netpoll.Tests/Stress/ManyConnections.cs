using System.Net.Sockets;

namespace NetGo.Netpoll.Tests.Stress;

/// <summary>More connections than a poll returns events, many of which fail at once.</summary>
public sealed class ManyConnections(ITestOutputHelper output)
{
    private const int Batch = 1000;
    private const string LinuxOnly = "The peers bind to several addresses of the loopback network, and descriptors are counted in /proc.";

    /// <summary>What the process may have open, less what else it needs.</summary>
    private static int Room =>
        int.Parse(File.ReadLines("/proc/self/limits").First(static l => l.StartsWith("Max open files", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[3]) - 1000;

    private static void Open(EchoServer server, Child peers, int count)
    {
        for (int opened = 0; opened < count; opened += Batch)
        {
            int before = server.Accepted;
            peers.Ask($"open {Batch}");
            Bounded.Until(() => server.Accepted == before + Batch, "accepted"); // the backlog does not overflow
        }
    }

    [Fact]
    public async Task Fifteen_thousand_at_once()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        const int Count = 15_000;
        Assert.SkipUnless(Room >= Count, $"RLIMIT_NOFILE leaves room for {Room} connections only.");
        Leftovers left = await Leftovers.CountAsync();
        using (var server = new EchoServer(2))
        {
            using var peers = new Child("peers", $"{server.EndPoint.Port}");
            Open(server, peers, Count);
            output.WriteLine($"echo: {peers.Ask("echo")} ms");
            Assert.Equal(0, server.Ended);
            output.WriteLine($"close: {peers.Ask("close")} ms");
            Bounded.Until(() => server.Ended == Count, "ended");
            Assert.Equal(0, server.Failed);
        }
        left.None();
    }

    [Fact]
    public async Task Ten_thousand_that_are_reset_at_once_do_not_disturb_the_others()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), LinuxOnly);
        const int Count = 10_000, Others = 20, Exchanges = 200;
        Assert.SkipUnless(Room >= Count, $"RLIMIT_NOFILE leaves room for {Room} connections only.");
        Leftovers left = await Leftovers.CountAsync();
        using (var server = new EchoServer(2))
        {
            using var peers = new Child("peers", $"{server.EndPoint.Port}");
            Open(server, peers, Count);
            peers.Ask("echo"); // their readers have parked
            bool isOver = false;
            int talking = 0;
            Task[] others = [.. Enumerable.Range(0, Others).Select(id => Task.Run(async () =>
            {
                using var peer = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await peer.ConnectAsync(server.EndPoint);
                byte[] sent = new byte[16], got = new byte[16];
                sent.AsSpan().Fill((byte)id);
                int after = 0;
                for (int n = 0; after < Exchanges; n++)
                {
                    after += Volatile.Read(ref isOver) ? 1 : 0;
                    await peer.SendAsync(sent).Within();
                    for (int at = 0; at < got.Length;)
                    {
                        int more = await peer.ReceiveAsync(got.AsMemory(at)).AsTask().Within();
                        Assert.True(more > 0);
                        at += more;
                    }
                    Assert.Equal(sent, got);
                    if (n == 0)
                        Interlocked.Increment(ref talking);
                }
            }))];
            Bounded.Until(() => Volatile.Read(ref talking) == Others, "the others talk");
            output.WriteLine($"resets: {peers.Ask("reset")} ms");
            Bounded.Until(() => server.Ended == Count, "all that were reset have ended");
            Assert.Equal(Count, server.Failed);
            Volatile.Write(ref isOver, true);
            await Task.WhenAll(others).Within();
            Bounded.Until(() => server.Ended == Count + Others, "the others have ended");
            Assert.Equal(Count, server.Failed);
        }
        left.None();
    }
}
