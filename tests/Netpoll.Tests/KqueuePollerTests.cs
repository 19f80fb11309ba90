namespace NetGo.Netpoll.Tests;

/// <summary>On macOS and FreeBSD, and on Linux over libkqueue, when NETGO_LIBKQUEUE names its shared object.</summary>
public sealed class KqueuePollerTests : PollerContract
{
    private protected override INetPoller MakePoller()
    {
        Assert.SkipUnless(Kqueue.TryGet(out _, out string? missing), missing ?? "");
        return new KqueuePoller();
    }

    private protected override string? WhyErrorsAreLost => OperatingSystem.IsLinux()
        ? "libkqueue asks for SO_ERROR to fill in fflags, and the system forgets the error when it has told it once."
        : null;

    private protected override string? WhyEventsAreLost => OperatingSystem.IsLinux()
        ? "libkqueue asks epoll for as many descriptors as there is room for events, and loses the rest when some have two."
        : null;
}
