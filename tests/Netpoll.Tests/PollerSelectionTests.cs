using System.Net;

namespace NetGo.Netpoll.Tests;

/// <summary>Which poller is used: by option, by environment variable, or the system's own.</summary>
public sealed class PollerSelectionTests
{
    private static PollerKind OfThisSystem => OperatingSystem.IsWindows() ? PollerKind.Iocp : OperatingSystem.IsLinux() ? PollerKind.Epoll : PollerKind.Kqueue;

    private static PollerKind OfAnotherSystem => OperatingSystem.IsWindows() ? PollerKind.Epoll : PollerKind.Iocp;

    [Fact]
    public void The_option_wins_over_the_variable_and_the_variable_over_the_platform()
    {
        Assert.Equal(OfThisSystem, PollerSelection.Choose(PollerKind.Default, null));
        Assert.Equal(OfThisSystem, PollerSelection.Choose(PollerKind.Default, ""));
        Assert.Equal(PollerKind.Kqueue, PollerSelection.Choose(PollerKind.Default, "kqueue"));
        Assert.Equal(PollerKind.Iocp, PollerSelection.Choose(PollerKind.Default, "IOCP"));
        Assert.Equal(PollerKind.Epoll, PollerSelection.Choose(PollerKind.Epoll, "kqueue"));
    }

    [Theory]
    [InlineData("select")]
    [InlineData("default")]
    [InlineData("1")]
    public void A_variable_that_names_no_poller_is_an_error_that_says_what_there_is(string variable)
    {
        var e = Assert.Throws<FormatException>(() => PollerSelection.Choose(PollerKind.Default, variable));
        Assert.Contains("epoll, kqueue or iocp", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_forced_is_used_and_logged()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        Assert.Equal(PollerKind.Default, scheduler.GetPollerKind());
        var logger = new MemoryLogger();
        scheduler.UseNetpoll(new NetpollOptions { Poller = OfThisSystem, Logger = logger });
        Assert.Equal(OfThisSystem, scheduler.GetPollerKind());
        Assert.Contains(logger.Entries, entry => entry.Message.Contains(OfThisSystem.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void It_cannot_be_chosen_once_the_network_is_in_use()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        using NetListener listener = NetListener.Listen(scheduler, new IPEndPoint(IPAddress.Loopback, 0), null);
        Assert.NotEqual(PollerKind.Default, scheduler.GetPollerKind());
        Assert.Throws<InvalidOperationException>(() => scheduler.UseNetpoll());
    }

    [Fact]
    public void One_that_the_system_does_not_have_is_an_error_and_another_can_be_chosen_after_it()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        Assert.Throws<PlatformNotSupportedException>(() => scheduler.UseNetpoll(new NetpollOptions { Poller = OfAnotherSystem }));
        scheduler.UseNetpoll();
        Assert.NotEqual(PollerKind.Default, scheduler.GetPollerKind());
    }

    [Fact]
    public void A_kqueue_that_the_system_does_not_have_is_an_error_that_says_what_is_missing()
    {
        Assert.SkipWhen(Kqueue.TryGet(out _, out string? missing), "This system has one.");
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var e = Assert.Throws<PlatformNotSupportedException>(() => scheduler.UseNetpoll(new NetpollOptions { Poller = PollerKind.Kqueue }));
        Assert.Equal(missing, e.Message);
    }
}
