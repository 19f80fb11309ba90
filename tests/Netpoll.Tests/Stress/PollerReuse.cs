using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

// Registrations and closes that race with the owner's polls and with sysmon's looks; a part of what every poller has to do.
public abstract partial class PollerContract
{
    [Fact]
    public async Task Descriptors_and_PollDescs_are_used_again_while_two_poll()
    {
        const int Users = 3;
        int rounds = Stress.StressLength.Of(200);
        int inUse = PollDescTable.InUse;
        bool isOver = false;
        Task[] pollers = [PollInLoop(1_000_000), PollInLoop(0)];
        try
        {
            await Task.WhenAll(Enumerable.Range(0, Users).Select(user => Task.Run(async () =>
            {
                var random = new Random(user);
                for (int i = 0; i < rounds; i++)
                    await UseOnceAsync(random.Next(4));
            }))).WaitAsync(Bounded.Limit * Stress.StressLength.Of(3));
        }
        finally
        {
            Volatile.Write(ref isOver, true);
            await Task.WhenAll(pollers).Within();
        }
        // The last ones come back with a poll that finds nothing else.
        PollUntil(() => PollDescTable.InUse == inUse);
        Assert.False(_poller.HasRegistrations);

        Task PollInLoop(long timeout) => Task.Factory.StartNew(
            () =>
            {
                while (!Volatile.Read(ref isOver))
                {
                    GoroutineQueue ready = default;
                    _poller.Poll(timeout, ref ready);
                    _scheduler.EnqueueGlobal(ref ready);
                    if (timeout == 0)
                        Thread.Yield();
                }
            },
            TaskCreationOptions.LongRunning);
    }

    private async Task UseOnceAsync(int how)
    {
        var (descriptor, peer) = SocketPair.Make();
        using (peer)
        {
            PollDesc desc = PollDescTable.Rent(_scheduler);
            _poller.Register(descriptor, desc);
            _poller.Arm(desc, PollMode.Read);
            Task<PollResult> wait = _scheduler.RunAsync(async () => await desc.WaitAsync(PollMode.Read));
            switch (how)
            {
                case 0: // a byte wakes the reader
                    peer.Send([1]);
                    Assert.Equal(PollResult.Ready, await wait.Within());
                    break;
                case 1: // nothing does: an event here is another's
                    desc.Evict();
                    Assert.Equal(PollResult.Closing, await wait.Within());
                    Assert.False(desc.PeerClosed);
                    break;
                case 2: // an event and a close
                    peer.Send([1]);
                    desc.Evict();
                    await wait.Within();
                    break;
                default: // the peer's end and a close, and events that come too late
                    peer.Shutdown(SocketShutdown.Send);
                    desc.Evict();
                    await wait.Within();
                    _poller.Arm(desc, PollMode.Read);
                    break;
            }
            _poller.Unregister(descriptor, desc, shared: false);
            _ = SystemSockets.Close(descriptor);
            _poller.Free(desc);
        }
    }
}
