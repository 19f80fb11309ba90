namespace NetGo.Netpoll.Tests;

/// <summary>A goroutine whose socket is always ready never has to park: it must let the others run all the same.</summary>
public sealed class FairnessTests
{
    [Theory]
    [InlineData("read")]
    [InlineData("write")]
    public async Task One_that_never_parks_does_not_starve_another(string how)
    {
        using var net = new Loopback(Bounded.NewSchedulerWithoutTimeSlices(1));
        var (connection, peer) = await net.ConnectAsync();
        bool stop = false;
        int turns = 0;
        Task peerLoop = Task.Run(() =>
        {
            byte[] bytes = new byte[1 << 16];
            while (!Volatile.Read(ref stop))
            {
                if (how == "read")
                    peer.Send(bytes);
                else if (peer.Receive(bytes) == 0)
                    return;
            }
        });
        Task busy = net.Scheduler.RunAsync(async () =>
        {
            byte[] few = new byte[1]; // the peer has always sent more, and has always room for more
            while (!Volatile.Read(ref stop))
            {
                if (how == "read")
                    await connection.ReadAsync(few);
                else
                    await connection.WriteAsync(few);
                turns++;
            }
        });
        Bounded.Until(() => Volatile.Read(ref turns) > 10_000, "it is busy");
        for (int i = 0; i < 10; i++)
            await net.Scheduler.RunAsync(async () => await Go.YieldAsync()).Within();
        Volatile.Write(ref stop, true);
        await busy.Within();
        connection.Abort();
        await peerLoop.ContinueWith(static _ => { }).Within();
    }
}
