using System.Net.Sockets;

namespace NetGo.Netpoll.Tests.Stress;

/// <summary>Connections are closed, aborted, half-closed, cancelled and given other deadlines by other threads at any moment while they are
/// read and written. Every byte carries its connection's number; every operation ends, and as it is documented.</summary>
public sealed class RaceStress(ITestOutputHelper output)
{
    private const int AtOnce = 50;

    /// <summary>A connection, its peer, and the number that is in every byte of theirs.</summary>
    private sealed class Pair(NetConnection connection, Socket peer, byte number) : IDisposable
    {
        private readonly byte[] _sent = Filled(number);
        private CancellationTokenSource _cancellation = new();

        private static byte[] Filled(byte number)
        {
            byte[] bytes = new byte[700];
            bytes.AsSpan().Fill(number);
            return bytes;
        }

        private void CheckReceived(ReadOnlySpan<byte> bytes)
        {
            if (bytes.IndexOfAnyExcept(number) is >= 0 and int other)
                Assert.Fail($"Connection {number} got a byte of connection {bytes[other]}.");
        }

        // ---- The code under test ----

        public Task ReadAsync() => RepeatAsync(static async (pair, buffer, token) =>
        {
            int n = await pair.Connection.ReadAsync(buffer, token);
            pair.CheckReceived(buffer.AsSpan(0, n));
            return n > 0;
        });

        public Task WriteAsync() => RepeatAsync(static async (pair, _, token) =>
        {
            await pair.Connection.WriteAsync(pair._sent, token);
            return true;
        });

        private NetConnection Connection => connection;

        // Until it says so, or the connection has ended.
        private async Task RepeatAsync(Func<Pair, byte[], CancellationToken, Task<bool>> operation)
        {
            byte[] buffer = new byte[512];
            while (true)
            {
                CancellationToken token = Volatile.Read(ref _cancellation).Token;
                try
                {
                    if (!await operation(this, buffer, token))
                        return;
                }
                catch (TimeoutException)
                {
                    await Go.YieldAsync(); // until somebody sets another deadline, or closes it
                }
                catch (OperationCanceledException e)
                {
                    Assert.Equal(token, e.CancellationToken);
                }
                catch (ObjectDisposedException)
                {
                    return;
                }
                catch (IOException e)
                {
                    Assert.IsType<SocketException>(e.InnerException);
                    return;
                }
            }
        }

        // ---- The peer ----

        public async Task EchoAsync()
        {
            byte[] buffer = new byte[512];
            try
            {
                while (await peer.ReceiveAsync(buffer) is > 0 and int n)
                {
                    CheckReceived(buffer.AsSpan(0, n));
                    await peer.SendAsync(buffer.AsMemory(0, n));
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // It was reset, or has reset it.
            }
        }

        // ---- The others ----

        public void Disturb(int what)
        {
            try
            {
                switch (what)
                {
                    case < 20:
                        connection.SetReadDeadline(TimeSpan.FromMicroseconds(what * 100)); // 0 has passed
                        break;
                    case < 40:
                        connection.SetWriteDeadline(TimeSpan.FromMicroseconds((what - 20) * 100));
                        break;
                    case < 60:
                        connection.SetDeadline(null);
                        break;
                    case < 70:
                        connection.SetReadDeadline(TimeSpan.FromHours(what - 59));
                        break;
                    case < 80:
                        Cancel();
                        break;
                    case < 84:
                        connection.CloseWrite();
                        break;
                    case < 86:
                        connection.CloseRead();
                        break;
                    case < 90:
                        peer.Shutdown(SocketShutdown.Send);
                        break;
                    case < 92:
                        peer.LingerState = new LingerOption(true, 0);
                        peer.Dispose();
                        break;
                    case < 96:
                        connection.Close();
                        break;
                    default:
                        connection.Abort();
                        break;
                }
            }
            catch (Exception e) when (e is ObjectDisposedException or SocketException)
            {
                // It has been closed.
            }
        }

        private void Cancel()
        {
            // Not disposed: an operation may be about to ask it for its token.
            Interlocked.Exchange(ref _cancellation, new CancellationTokenSource()).Cancel();
        }

        public void Dispose()
        {
            connection.Close();
            peer.Dispose();
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Whatever_is_done_to_connections_they_end_and_are_their_own(int processors)
    {
        int seed = StressLength.Seed;
        output.WriteLine($"NETGO_STRESS_SEED={seed}");
        int rounds = StressLength.Of(14);
        Leftovers left = await Leftovers.CountAsync();
        using (var net = new Loopback(processors, processors))
        {
            int number = 0;
            for (int round = 0; round < rounds; round++)
            {
                var pairs = new List<Pair>();
                for (int i = 0; i < AtOnce; i++)
                {
                    var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                    await peer.ConnectAsync(net.Listener.LocalEndPoint).Within();
                    pairs.Add(new Pair(await net.Listener.AcceptAsync().AsTask().Within(), peer, (byte)++number));
                }
                Task[] tasks =
                [
                    .. pairs.Select(p => net.Scheduler.RunAsync(p.ReadAsync)),
                    .. pairs.Select(p => net.Scheduler.RunAsync(p.WriteAsync)),
                    .. pairs.Select(p => Task.Run(p.EchoAsync)),
                ];
                // One from outside, one on a goroutine.
                var random = new Random(seed + round);
                int[] mine = [.. Enumerable.Range(0, 400).Select(_ => random.Next(AtOnce * 100))];
                int[] theirs = [.. Enumerable.Range(0, 400).Select(_ => random.Next(AtOnce * 100))];
                Task other = net.Scheduler.RunAsync(async () =>
                {
                    foreach (int what in theirs)
                    {
                        pairs[what / 100].Disturb(what % 100);
                        await Go.YieldAsync();
                    }
                });
                await Task.Run(() => Array.ForEach(mine, what => pairs[what / 100].Disturb(what % 100))).Within();
                await other.Within();
                Parallel.ForEach(pairs, static p => p.Dispose());
                await Task.WhenAll(tasks).Within();
            }
        }
        left.None();
    }
}
