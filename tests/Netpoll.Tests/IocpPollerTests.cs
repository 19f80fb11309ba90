using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

public sealed class IocpPollerTests : PollerContract
{
    private protected override INetPoller MakePoller()
    {
        Assert.SkipUnless(OperatingSystem.IsWindows(), "Completion ports and AFD are Windows'.");
        return new IocpPoller();
    }
}
