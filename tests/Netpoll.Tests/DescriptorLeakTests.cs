using System.Diagnostics;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

public sealed class DescriptorLeakTests
{
    private static int Open
    {
        get
        {
            if (OperatingSystem.IsLinux())
                return Directory.GetFileSystemEntries("/proc/self/fd").Length;
            using var process = Process.GetCurrentProcess();
            return process.HandleCount;
        }
    }

    [Fact]
    public async Task Nothing_is_left_open()
    {
        LibkqueueLimits.SkipWhereErrorsAreLost();
        // The runtime opens a few of its own now and then; a leak of ours would be 20 of a kind, or 5 schedulers' pollers.
        const int Slack = 3;
        for (int i = 0; i < 2; i++)
            await UseAsync(20); // what is opened once and for all
        int before = Open;
        for (int i = 0; i < 5; i++)
            await UseAsync(20);
        Bounded.Until(() => Open <= before + Slack, $"{Open} descriptors open, {before} before");
    }

    private static async Task UseAsync(int connections)
    {
        using var net = new Loopback(2, 2);
        for (int i = 0; i < connections; i++)
        {
            var (connection, peer) = await net.ConnectAsync();
            Task<int> read = net.Parked(() => connection.ReadAsync(new byte[10]));
            switch (i % 5)
            {
                case 0:
                    connection.Close();
                    await Assert.ThrowsAsync<ObjectDisposedException>(() => read);
                    break;
                case 1:
                    peer.Dispose();
                    Assert.Equal(0, await read);
                    break;
                case 2:
                    connection.Abort();
                    await Assert.ThrowsAsync<ObjectDisposedException>(() => read);
                    break;
                case 3:
                    connection.SetReadDeadline(TimeSpan.Zero);
                    await Assert.ThrowsAsync<TimeoutException>(() => read);
                    break;
                default:
                    peer.LingerState = new LingerOption(true, 0);
                    peer.Dispose();
                    if (Wine.IsHere)
                        await read;
                    else
                        await Assert.ThrowsAsync<IOException>(() => read);
                    break;
            }
            connection.Close();
            peer.Dispose();
        }
    }
}
