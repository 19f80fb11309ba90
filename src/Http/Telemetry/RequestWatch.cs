using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;

namespace NetGo.Http;

// What metrics, activities and events are told of one request: its begin, when its handler is about to be called, and its end, when the response is
// complete (or will never be). Part of the exchange, so that a request makes nothing new. A request that was under way when the first
// began to listen is not watched.
//
//   Off       nobody has asked
//   On        between Begin and End
//   Handed    the handler has taken the connection over: for metrics and events that was the end of the request; the activity goes on for as long
//             as the handler, whose work it covers
internal struct RequestWatch
{
    private Phase _phase;
    private byte _method;
    private bool _isHttps;
    private bool _isCounted;
    private long _start;
    private Activity? _activity;

    private enum Phase : byte
    {
        Off,
        On,
        Handed,
    }

    /// <summary><see cref="End"/> is due.</summary>
    public readonly bool IsOn => _phase != Phase.Off;

    /// <summary>Whether anybody wants to know of requests.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsWanted(HttpMetrics metrics) =>
        metrics.RequestDuration.Enabled || metrics.ActiveRequests.Enabled || RequestActivity.Source.HasListeners() || HttpEventSource.Log.IsEnabled();

    public void Begin(Http1Exchange exchange, HttpMetrics metrics)
    {
        Request request = exchange.Request;
        _phase = Phase.On;
        _method = (byte)KnownMethod.IndexOf(request.RawMethod);
        _isHttps = request.Tls is not null;
        _isCounted = metrics.ActiveRequests.Enabled;
        if (_isCounted)
            metrics.CountActive(HttpMetrics.KindOf(_method, _isHttps), 1);
        _start = exchange.Transport.Scheduler.Now();
        if (RequestActivity.Source.HasListeners())
            _activity = RequestActivity.Start(request, _method);
        if (HttpEventSource.Log.IsEnabled())
            HttpEventSource.Log.RequestStart(exchange.Connection.Id, request.Method, Encoding.ASCII.GetString(request.UnstrippedRawPath));
    }

    /// <summary>The handler has taken the connection over. <see cref="End"/> is to come.</summary>
    public void HandOver(Http1Exchange exchange, HttpMetrics metrics, int status)
    {
        Measure(exchange, metrics, new RequestOutcome(status, null));
        _phase = Phase.Handed;
    }

    /// <param name="exchange">What it is part of.</param>
    /// <param name="metrics">Those that <see cref="Begin"/> had.</param>
    /// <param name="outcome">How the request ended; after <see cref="HandOver"/> without the status.</param>
    /// <param name="exception">What the handler threw.</param>
    public void End(Http1Exchange exchange, HttpMetrics metrics, RequestOutcome outcome, Exception? exception)
    {
        bool isDue = _phase == Phase.On;
        _phase = Phase.Off; // a listener may throw, and then this is called again
        if (isDue)
            Measure(exchange, metrics, outcome);
        if (_activity is { } activity)
        {
            RequestActivity.Stop(activity, _method, exchange.Request.MatchedPattern?.Route, outcome, exception);
            _activity = null;
        }
    }

    private readonly void Measure(Http1Exchange exchange, HttpMetrics metrics, RequestOutcome outcome)
    {
        if (_isCounted)
            metrics.CountActive(HttpMetrics.KindOf(_method, _isHttps), -1);
        long now = exchange.EndedAt = exchange.Transport.Scheduler.Now();
        double seconds = (now - _start) * 1e-9;
        Request request = exchange.Request;
        RequestTagCache tags = request.MatchedPattern?.Tags ?? RequestTagCache.OfNoRoute;
        metrics.RequestDuration.Record(seconds, tags.Get(_method, _isHttps, request.IsHttp10, outcome));
        if (HttpEventSource.Log.IsEnabled())
            HttpEventSource.Log.RequestStop(exchange.Connection.Id, tags.Route ?? "", outcome.Status, outcome.ErrorType ?? "", seconds * 1000);
    }
}
