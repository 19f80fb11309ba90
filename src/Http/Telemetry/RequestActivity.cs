using System.Diagnostics;
using System.Net;
using System.Text;

namespace NetGo.Http;

// The activity of a request: a span of kind server, child of what the client says in traceparent and tracestate (W3C Trace Context), with the
// attributes of OpenTelemetry's semantic conventions. The query of the target is not among them: secrets are in there.
internal static class RequestActivity
{
    public static readonly ActivitySource Source = new("NetGo.Http", typeof(RequestActivity).Assembly.GetName().Version?.ToString(3));

    private const string OperationName = "NetGo.Http.Request";

    /// <summary>Starts one, which is <see cref="Activity.Current"/> from now on. Null when nobody wants it.</summary>
    public static Activity? Start(Request request, int method)
    {
        DistributedContextPropagator propagator = DistributedContextPropagator.Current;
        propagator.ExtractTraceIdAndState(request.Header, GetField, out string? traceParent, out string? traceState);
        if (!ActivityContext.TryParse(traceParent, traceState, isRemote: true, out ActivityContext parent))
            Activity.Current = null; // what was going on where the server was started is not the parent of its requests
        Activity? activity = Source.CreateActivity(OperationName, ActivityKind.Server, parent, Describe(request, method));
        if (activity is null)
            return null;
        if (propagator.ExtractBaggage(request.Header, GetField) is { } baggage)
        {
            foreach (KeyValuePair<string, string?> item in baggage)
                activity.AddBaggage(item.Key, item.Value);
        }
        return activity.Start();
    }

    // More than one field of a name is for the propagator to decide upon.
    private static void GetField(object? carrier, string name, out string? value, out IEnumerable<string>? values)
    {
        IReadOnlyList<string> all = ((HeaderFields)carrier!).GetAll(name);
        value = all.Count == 1 ? all[0] : null;
        values = all.Count > 1 ? all : null;
    }

    private static ActivityTagsCollection Describe(Request request, int method)
    {
        var tags = new ActivityTagsCollection
        {
            { "http.request.method", KnownMethod.NameOf(method) },
            { "url.scheme", request.Scheme },
            { "url.path", Encoding.ASCII.GetString(request.UnstrippedRawPath) },
            { "network.protocol.version", request.IsHttp10 ? "1.0" : "1.1" },
        };
        if (method == 0)
            tags.Add("http.request.method_original", request.Method);
        if (request.Header["User-Agent"] is { } agent)
            tags.Add("user_agent.original", agent);
        DescribeServer(request.Host, tags);
        if (request.RemoteEndPoint is IPEndPoint peer)
        {
            string address = peer.Address.ToString();
            tags.Add("client.address", address);
            tags.Add("network.peer.address", address);
            tags.Add("network.peer.port", peer.Port);
        }
        return tags;
    }

    private static void DescribeServer(string host, ActivityTagsCollection tags)
    {
        if (host.Length == 0)
            return;
        int colon = host.LastIndexOf(':');
        if (colon > host.LastIndexOf(']') && int.TryParse(host.AsSpan(colon + 1), out int port)) // else it is one of an IPv6 address
        {
            tags.Add("server.address", host[..colon]);
            tags.Add("server.port", port);
        }
        else
        {
            tags.Add("server.address", host);
        }
    }

    /// <summary>Says how the request ended, and stops it. <see cref="Activity.Current"/> is then what it was before.</summary>
    public static void Stop(Activity activity, int method, string? route, RequestOutcome outcome, Exception? exception)
    {
        string name = method == 0 ? "HTTP" : KnownMethod.NameOf(method);
        activity.DisplayName = route is null ? name : $"{name} {route}";
        if (route is not null)
            activity.SetTag("http.route", route);
        if (outcome.Status != 0)
            activity.SetTag("http.response.status_code", outcome.Status);
        if (outcome.ErrorType is { } type)
        {
            activity.SetTag("error.type", type);
            activity.SetStatus(ActivityStatusCode.Error);
            if (exception is not null)
                activity.AddException(exception);
        }
        activity.Stop();
    }
}
