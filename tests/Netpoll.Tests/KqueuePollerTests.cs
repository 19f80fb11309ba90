namespace NetGo.Netpoll.Tests;

/// <summary>On macOS and FreeBSD, and on Linux over libkqueue, when NETGO_LIBKQUEUE names its shared object.</summary>
public sealed class KqueuePollerTests : PollerContract
{
    private protected override INetPoller MakePoller()
    {
        Assert.SkipUnless(Kqueue.TryGet(out _, out string? missing), missing ?? "");
        return new KqueuePoller();
    }

    private protected override string? WhyErrorsAreLost => LibkqueueLimits.WhyErrorsAreLost;

    private protected override string? WhyEventsAreLost => LibkqueueLimits.WhyEventsAreLost;
}
