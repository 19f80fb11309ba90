using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;

namespace NetGo.Netpoll;

// How one of several addresses is connected to (RFC 8305 in the form of Go's dialParallel). They come in the order in which they
// are to be tried (RFC 6724; the resolver sorts them). Those of the first one's family are the primaries, the others the
// fallbacks: when the network of one family is broken, it is the other's that help. Each of the two lists is tried in turn by a
// goroutine of its own. The fallbacks' waits until the primaries have failed, or have taken a while. Who connects cancels the
// other, and both have ended when the race has: the second may have connected too by then, and is closed.

/// <summary>Connects to one of a name's addresses, the first that answers in time.</summary>
/// <param name="scheduler">Whose goroutines try.</param>
/// <param name="attempt">Connects to one.</param>
/// <param name="fallbackDelay">How long the addresses of one family are tried before those of the other are too; negative to try
/// all in turn.</param>
/// <param name="deadline">For all of it, by the scheduler's clock.</param>
internal sealed class HappyEyeballs(GoScheduler scheduler, ConnectAttempt attempt, TimeSpan fallbackDelay, long deadline)
{
    // An address gets no less of the time than this, even if others get none for that; Go's saneMinimum.
    private static readonly long s_leastShare = GoScheduler.Nanoseconds(TimeSpan.FromSeconds(2));

    /// <summary>The first that connects. When none does, the error of the first; when the deadline has passed, that.</summary>
    /// <param name="addresses">At least one.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public ValueTask<NetConnection> ConnectAsync(IPEndPoint[] addresses, CancellationToken cancellationToken)
    {
        AddressFamily family = addresses[0].AddressFamily;
        IPEndPoint[] fallbacks = [.. addresses.Where(a => a.AddressFamily != family)];
        if (fallbacks.Length == 0 || fallbackDelay < TimeSpan.Zero)
            return InTurnAsync(addresses, cancellationToken);
        IPEndPoint[] primaries = [.. addresses.Where(a => a.AddressFamily == family)];
        return RaceAsync(primaries, fallbacks, cancellationToken);
    }

    private async ValueTask<NetConnection> InTurnAsync(IPEndPoint[] addresses, CancellationToken cancellationToken)
    {
        Exception? first = null;
        for (int i = 0; i < addresses.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                return await attempt(addresses[i], Share(addresses.Length - i), cancellationToken);
            }
            catch (Exception e) when (e is SocketException || (e is TimeoutException && scheduler.Now() < deadline))
            {
                first ??= e;
            }
        }
        ExceptionDispatchInfo.Throw(first!);
        throw first!;
    }

    /// <summary>Until when one of so many addresses may be tried; Go's partialDeadline.</summary>
    private long Share(int count)
    {
        if (deadline == long.MaxValue)
            return deadline;
        long now = scheduler.Now();
        return Math.Min(deadline, now + Math.Max((deadline - now) / count, s_leastShare));
    }

    private async ValueTask<NetConnection> RaceAsync(
        IPEndPoint[] primaries, IPEndPoint[] fallbacks, CancellationToken cancellationToken)
    {
        const ConfigureAwaitOptions Quietly =
            ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        NetConnection? winner = null;
        Task primary = scheduler.RunAsync(() => RunAsync(primaries));
        Task fallback = scheduler.RunAsync(async () =>
        {
            await primary.WaitAsync(fallbackDelay, scheduler.TimeProvider, stop.Token).ConfigureAwait(Quietly);
            await RunAsync(fallbacks);
        });
        await Task.WhenAll(primary, fallback).ConfigureAwait(Quietly);
        if (winner is null)
            await (IsOutOfTime(fallback) ? fallback : primary);
        return winner!;

        async Task RunAsync(IPEndPoint[] addresses)
        {
            NetConnection connection = await InTurnAsync(addresses, stop.Token);
            if (Interlocked.CompareExchange(ref winner, connection, null) is not null)
                connection.Close();
            stop.Cancel();
        }
    }

    // The last of the fallbacks was still being tried when the deadline passed, whatever had become of the primaries.
    private static bool IsOutOfTime(Task task) => task.Exception?.InnerException is TimeoutException;
}
