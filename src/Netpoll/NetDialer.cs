using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll;

/// <summary>Connects to addresses and names; Go's net.Dialer. A connection belongs to the scheduler whose goroutine dials, and
/// there to the poller of its processor. May be used by many at a time, as long as nobody changes it.</summary>
public sealed partial class NetDialer : NetConnectionOptions
{
    private static readonly TimeSpan s_longest = TimeSpan.FromMilliseconds(uint.MaxValue - 1); // of .NET's timers

    private TimeSpan _timeout = System.Threading.Timeout.InfiniteTimeSpan;
    private TimeSpan _fallbackDelay = TimeSpan.FromMilliseconds(300);

    /// <summary>How long dialling may take in all, names looked up and all their addresses tried.
    /// <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> by default: the system gives up after a minute or two of
    /// silence.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Neither positive nor infinite, or more than 49 days.</exception>
    public TimeSpan Timeout
    {
        get => _timeout;
        set
        {
            if (value != System.Threading.Timeout.InfiniteTimeSpan)
            {
                ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
                ArgumentOutOfRangeException.ThrowIfGreaterThan(value, s_longest);
            }
            _timeout = value;
        }
    }

    /// <summary>When a name has addresses of both IPv6 and IPv4: how long those of the first one's family are tried before those
    /// of the other are tried at the same time ("happy eyeballs", RFC 8305). When they fail before, the others are tried at once.
    /// 300 ms by default, as in Go; negative to try all in turn.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More than 49 days.</exception>
    public TimeSpan FallbackDelay
    {
        get => _fallbackDelay;
        set
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, s_longest);
            _fallbackDelay = value;
        }
    }

    /// <summary>From which address; of a name's addresses only those of the same family are tried then. Null, the default: the
    /// system chooses.</summary>
    public EndPoint? LocalEndPoint { get; set; }

    /// <summary>Where the server allows it, sends the first bytes with the very packet that opens the connection
    /// (TCP_FASTOPEN_CONNECT, RFC 7413). They may arrive twice, so this is for requests that may be repeated. To a server that
    /// was seen before, dialling succeeds at once, and it is the first write or read that fails when nobody is there. False by
    /// default. Linux only.</summary>
    public bool FastOpen { get; set; }

    /// <summary>Whose the connections are: the current one, unless set.</summary>
    internal GoScheduler Scheduler
    {
        get => field ?? GoScheduler.Current;
        init;
    }

    /// <summary>The addresses of a name.</summary>
    internal Func<string, AddressFamily, CancellationToken, Task<IPAddress[]>> Resolver { get; init; } =
        Dns.GetHostAddressesAsync;

    /// <summary>Connects to one address of a name; null for the real thing.</summary>
    internal ConnectAttempt? Attempt { get; init; }

    /// <summary>Called with each socket when it has its options; Go's Dialer.Control.</summary>
    internal Action<nint>? Control { get; init; }

    /// <summary>Connects.</summary>
    /// <param name="address">"host:port", with a name or an address, "[v6]:port", ":port" for this machine, "unix:path", or
    /// "unix:@name" for an abstract one (Linux).</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="FormatException">The address is none of these.</exception>
    /// <inheritdoc cref="DialAsync(EndPoint, CancellationToken)" path="/exception"/>
    public ValueTask<NetConnection> DialAsync(string address, CancellationToken cancellationToken = default) =>
        DialAsync(DialAddress.Parse(address), cancellationToken);

    /// <summary>Connects.</summary>
    /// <param name="endPoint">An <see cref="IPEndPoint"/>, a <see cref="UnixDomainSocketEndPoint"/>, or a
    /// <see cref="DnsEndPoint"/>, whose addresses are tried until one answers.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="SocketException">Nobody listens there, or the name is not known, or whatever else the system says. Of
    /// several addresses, the first one's error.</exception>
    /// <exception cref="TimeoutException"><see cref="Timeout"/> has passed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="PlatformNotSupportedException">The system lacks an option that has been set.</exception>
    /// <exception cref="ArgumentException">It is another kind of end point.</exception>
    public ValueTask<NetConnection> DialAsync(EndPoint endPoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<NetConnection>(cancellationToken);
        return endPoint switch
        {
            IPEndPoint or UnixDomainSocketEndPoint =>
                ConnectAsync(new DialTarget(null, endPoint), Scheduler.TimeAfter(Timeout), cancellationToken),
            DnsEndPoint name => DialNameAsync(name, cancellationToken),
            _ => throw new ArgumentException($"A {endPoint.GetType().Name} cannot be dialled.", nameof(endPoint)),
        };
    }

    // ---- Names ----

    private async ValueTask<NetConnection> DialNameAsync(DnsEndPoint name, CancellationToken cancellationToken)
    {
        GoScheduler scheduler = Scheduler;
        long deadline = scheduler.TimeAfter(Timeout);
        IPEndPoint[] addresses = await ResolveAsync(scheduler, name, cancellationToken);
        ConnectAttempt attempt = Attempt ?? ((ip, until, token) => ConnectAsync(new DialTarget(name, ip), until, token));
        var eyeballs = new HappyEyeballs(scheduler, attempt, FallbackDelay, deadline);
        try
        {
            return await eyeballs.ConnectAsync(addresses, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw Cancelled(new DialTarget(name, null), cancellationToken); // those that tried had a token of their own
        }
    }

    private async ValueTask<IPEndPoint[]> ResolveAsync(
        GoScheduler scheduler, DnsEndPoint name, CancellationToken cancellationToken)
    {
        var target = new DialTarget(name, null);
        IPAddress[] found;
        Task<IPAddress[]> lookup = Resolver(name.Host, name.AddressFamily, cancellationToken);
        try
        {
            found = await lookup.WaitAsync(Timeout, scheduler.TimeProvider, cancellationToken);
        }
        catch (SocketException e)
        {
            throw new SocketException((int)e.SocketErrorCode, $"dial {target}: {e.Message}");
        }
        catch (TimeoutException)
        {
            // Should it fail later, there is nobody to tell.
            _ = lookup.ContinueWith(static late => _ = late.Exception, TaskScheduler.Default);
            throw TimedOut(target);
        }
        IPEndPoint[] addresses =
        [
            .. found.Where(a => LocalEndPoint is not IPEndPoint local || local.AddressFamily == a.AddressFamily)
                .Select(a => new IPEndPoint(a, name.Port)),
        ];
        if (addresses.Length > 0)
            return addresses;
        string where = LocalEndPoint is null ? "" : $" that can be reached from {LocalEndPoint}";
        throw new SocketException((int)SocketError.NoData, $"dial {target}: the name has no address{where}");
    }

    private static TimeoutException TimedOut(in DialTarget target) => new($"dial {target}: not connected in time");

    private static OperationCanceledException Cancelled(in DialTarget target, CancellationToken cancellationToken) =>
        new($"dial {target}: cancelled", cancellationToken);
}
