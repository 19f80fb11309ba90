using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Authentication;

namespace NetGo.Http;

// The instruments of the meter NetGo.Http, once for each IMeterFactory, and once for the servers that have none. Names, units and tags are those of
// OpenTelemetry's semantic conventions where these have some, else begin with "netgo.http.".
//
// What would have to be said twice for each request, its begin and its end, or more often, is not said to the listeners but counted, and
// read when they ask: http.server.active_requests and netgo.http.io. Even that only while somebody listens, so both count from then on.
internal sealed class HttpMetrics
{
    public const string MeterName = "NetGo.Http";

    private const int Received = 2 * KnownMethod.Count;
    private const int Sent = Received + 1;
    private const int CountLength = Sent + 1;

    private static readonly Lazy<HttpMetrics> s_shared = new(static () => new HttpMetrics(new Meter(NewOptions())));
    private static readonly ConditionalWeakTable<IMeterFactory, HttpMetrics> s_ofFactories = [];

    private readonly StripedCounts _counts = new(CountLength);
    private readonly bool[] _wasActive = new bool[Received];
    private readonly List<WeakReference<Server>> _servers = [];
    private readonly Counter<long> _rejectedConnections;
    private readonly Counter<long> _refusedRequests;
    private readonly Histogram<double> _connectionDuration;

    private HttpMetrics(Meter meter)
    {
        RequestDuration = meter.CreateHistogram(
            "http.server.request.duration", "s", "Duration of HTTP server requests.", tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] });
        ActiveRequests = meter.CreateObservableUpDownCounter(
            "http.server.active_requests", ObserveActiveRequests, "{request}", "Number of active HTTP server requests.");
        Connections = meter.CreateObservableUpDownCounter(
            "netgo.http.active_connections", ObserveConnections, "{connection}", "Number of connections that are open, those included that handlers have taken over.");
        _connectionDuration = meter.CreateHistogram(
            "netgo.http.connection.duration", "s", "How long connections were open.", tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300] });
        _rejectedConnections = meter.CreateCounter<long>(
            "netgo.http.rejected_connections", "{connection}", "Number of connections that were closed because there were as many as there may be.");
        _refusedRequests = meter.CreateCounter<long>(
            "netgo.http.refused_requests", "{request}", "Number of requests that the server answered itself, with an error, and no handler saw.");
        Io = meter.CreateObservableCounter("netgo.http.io", ObserveIo, "By", "Bytes of requests and responses, without those of TLS and of connections that handlers have taken over.");
    }

    public Histogram<double> RequestDuration { get; }

    public ObservableUpDownCounter<long> ActiveRequests { get; }

    public ObservableUpDownCounter<long> Connections { get; }

    public ObservableCounter<long> Io { get; }

    public bool TimesConnections => _connectionDuration.Enabled;

    /// <summary>Those of a factory, or of all servers without one.</summary>
    public static HttpMetrics Of(IMeterFactory? factory) =>
        factory is null ? s_shared.Value : s_ofFactories.GetValue(factory, static f => new HttpMetrics(f.Create(NewOptions())));

    private static MeterOptions NewOptions() => new(MeterName) { Version = typeof(HttpMetrics).Assembly.GetName().Version?.ToString(3) };

    /// <summary>Has the connections of a server observed, for as long as there is one.</summary>
    public void Observe(Server server)
    {
        lock (_servers)
        {
            _servers.RemoveAll(static s => !s.TryGetTarget(out _));
            _servers.Add(new WeakReference<Server>(server));
        }
    }

    // ---- Requests ----

    /// <summary>The place of a kind of request in <see cref="CountActive"/>.</summary>
    public static int KindOf(int method, bool isHttps) => (method << 1) | (isHttps ? 1 : 0);

    public void CountActive(int kind, int change)
    {
        if (!_wasActive[kind])
            _wasActive[kind] = true;
        _counts.Add(kind, change);
    }

    public void Refused(int status)
    {
        if (_refusedRequests.Enabled)
            _refusedRequests.Add(1, new KeyValuePair<string, object?>("http.response.status_code", status));
    }

    // A kind that has had requests stays, so that one sees that it is back at 0.
    private IEnumerable<Measurement<long>> ObserveActiveRequests()
    {
        for (int kind = 0; kind < Received; kind++)
        {
            if (_wasActive[kind])
            {
                yield return new Measurement<long>(
                    _counts.Sum(kind), new("http.request.method", KnownMethod.NameOf(kind >> 1)), new("url.scheme", RequestTagCache.SchemeOf((kind & 1) != 0)));
            }
        }
    }

    // ---- Bytes ----

    public void CountIo(long received, long sent)
    {
        if (received != 0)
            _counts.Add(Received, received);
        if (sent != 0)
            _counts.Add(Sent, sent);
    }

    private Measurement<long>[] ObserveIo() =>
    [
        new(_counts.Sum(Received), new KeyValuePair<string, object?>("network.io.direction", "receive")),
        new(_counts.Sum(Sent), new KeyValuePair<string, object?>("network.io.direction", "transmit")),
    ];

    // ---- Connections ----

    public void Rejected() => _rejectedConnections.Add(1);

    private Measurement<long>[] ObserveConnections()
    {
        long served = 0;
        long hijacked = 0;
        lock (_servers)
        {
            foreach (WeakReference<Server> reference in _servers)
            {
                if (!reference.TryGetTarget(out Server? server))
                    continue;
                served += server.ConnectionCount;
                hijacked += server.HijackedCount;
            }
        }
        return
        [
            new(served, new KeyValuePair<string, object?>("netgo.http.connection.state", "served")),
            new(hijacked, new KeyValuePair<string, object?>("netgo.http.connection.state", "hijacked")),
        ];
    }

    /// <summary>The tags of netgo.http.connection.duration, while the connection is open.</summary>
    public static TagList Describe(HttpTransport transport)
    {
        AddressFamily family = transport.RemoteEndPoint.AddressFamily;
        var tags = default(TagList);
        tags.Add("network.transport", family == AddressFamily.Unix ? "unix" : "tcp");
        if (family != AddressFamily.Unix)
            tags.Add("network.type", family == AddressFamily.InterNetworkV6 ? "ipv6" : "ipv4");
        if (transport.Tls is { } tls)
            tags.Add("tls.protocol.version", VersionOf(tls.Protocol));
        return tags;
    }

    /// <param name="nanoseconds">How long the connection was open.</param>
    /// <param name="tags">What <see cref="Describe"/> returned.</param>
    public void ConnectionEnded(long nanoseconds, in TagList tags) => _connectionDuration.Record(nanoseconds * 1e-9, in tags);

    private static string VersionOf(SslProtocols protocol) => protocol switch
    {
        SslProtocols.Tls12 => "1.2",
        SslProtocols.Tls13 => "1.3",
        _ => protocol.ToString(),
    };
}
