using System.Net.Sockets;
using static NetGo.Netpoll.Kqueue;

namespace NetGo.Netpoll.Tests;

/// <summary>What the kqueue of this system does otherwise than a BSD's, as far as a test cannot hold there. libkqueue does on
/// Linux; each is tried out, so that a libkqueue without it runs the tests.</summary>
internal static unsafe class LibkqueueLimits
{
    private static readonly Lazy<bool> s_errorsAreLost = new(LosesErrors);
    private static readonly Lazy<bool> s_eventsAreLost = new(LosesEvents);

    /// <summary>The reason, or null where they are not.</summary>
    public static string? WhyErrorsAreLost => s_errorsAreLost.Value
        ? "libkqueue asks for SO_ERROR to fill in an event's fflags, and the system forgets the error when it has told it once."
        : null;

    /// <inheritdoc cref="WhyErrorsAreLost"/>
    public static string? WhyEventsAreLost => s_eventsAreLost.Value
        ? "libkqueue asks epoll for as many descriptors as there is room for events, and loses the rest when some have two."
        : null;

    private static bool IsUsed =>
        PollerSelection.Choose(PollerKind.Default, Environment.GetEnvironmentVariable("NETGO_POLLER")) == PollerKind.Kqueue;

    /// <summary>For a test whose sockets fail, by whatever poller the run is about.</summary>
    public static void SkipWhereErrorsAreLost() => Assert.SkipWhen(IsUsed && s_errorsAreLost.Value, WhyErrorsAreLost ?? "");

    /// <summary>For a test in which more than half as many sockets as a poll has room for may be ready at once.</summary>
    public static void SkipWhereEventsAreLost() => Assert.SkipWhen(IsUsed && s_eventsAreLost.Value, WhyEventsAreLost ?? "");

    private static bool LosesErrors() => Try(1, (system, kqueue, descriptors, peers) =>
    {
        peers[0].LingerState = new LingerOption(true, 0);
        peers[0].Dispose();
        Bounded.Until(() => CountEvents(system, kqueue, 2, EV_EOF) > 0, "the end of the connection");
        return SocketPair.Read(descriptors[0], new byte[1]) == 0; // instead of ECONNRESET
    });

    private static bool LosesEvents() => Try(2, (system, kqueue, descriptors, peers) =>
    {
        Array.ForEach(peers, static peer => peer.Send([1]));
        foreach (nint descriptor in descriptors)
            Bounded.Until(() => SystemSockets.Peek(descriptor) == 1, "a byte");
        return CountEvents(system, kqueue, 2, 0) + CountEvents(system, kqueue, 2, 0) < 4; // two sockets, two directions
    });

    private static bool Try(int connections, Func<Kqueue, int, nint[], Socket[], bool> body)
    {
        if (!TryGet(out Kqueue? system, out _))
            return false;
        (nint Descriptor, Socket Peer)[] pairs = [.. Enumerable.Range(0, connections).Select(static _ => SocketPair.Make())];
        nint[] descriptors = Array.ConvertAll(pairs, static pair => pair.Descriptor);
        int kqueue = system.Create();
        foreach (nint descriptor in descriptors)
        {
            int error = system.Change(
                kqueue,
                new Event { Identifier = (nuint)descriptor, Filter = EVFILT_WRITE, Flags = EV_ADD | EV_CLEAR },
                new Event { Identifier = (nuint)descriptor, Filter = EVFILT_READ, Flags = EV_ADD | EV_CLEAR });
            Assert.Equal(0, error);
        }
        try
        {
            return body(system, kqueue, descriptors, Array.ConvertAll(pairs, static pair => pair.Peer));
        }
        finally
        {
            system.Close(kqueue);
            foreach ((nint descriptor, Socket peer) in pairs)
            {
                peer.Dispose();
                _ = SystemSockets.Close(descriptor);
            }
        }
    }

    private static int CountEvents(Kqueue system, int kqueue, int room, ushort flags)
    {
        byte* events = stackalloc byte[room * MaxEventSize];
        int got = system.Wait(kqueue, events, room, 0);
        int count = 0;
        for (int i = 0; i < got; i++)
            count += (system.At(events, i).Flags & flags) == flags ? 1 : 0;
        return count;
    }
}
