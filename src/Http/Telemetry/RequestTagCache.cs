using System.Collections.Concurrent;

namespace NetGo.Http;

// The tags of http.server.request.duration for the requests of one route. An array is made for each combination that comes up, once: a request looks
// up the one that the request before it had, most often the same, and allocates nothing. What a client has a say in is one of few values
// (KnownMethod, two versions, two schemes), so the number of combinations is the handlers' doing.
internal sealed class RequestTagCache(string? route)
{
    private readonly ConcurrentDictionary<(int Key, string? Error), Entry> _all = new();
    private Entry? _last;

    private sealed record Entry(int Key, string? Error, KeyValuePair<string, object?>[] Tags);

    /// <summary>For requests that no pattern matched.</summary>
    public static RequestTagCache OfNoRoute { get; } = new(null);

    public string? Route => route;

    public ReadOnlySpan<KeyValuePair<string, object?>> Get(int method, bool isHttps, bool isHttp10, RequestOutcome outcome)
    {
        int key = (((outcome.Status * KnownMethod.Count) + method) << 2) | (isHttps ? 2 : 0) | (isHttp10 ? 1 : 0);
        Entry? last = _last;
        if (last is null || last.Key != key || (object?)last.Error != outcome.Error)
            _last = last = _all.GetOrAdd((key, outcome.Error), static (key, route) => Make(key.Key, key.Error, route), route);
        return last.Tags;
    }

    private static Entry Make(int key, string? error, string? route)
    {
        int status = (key >> 2) / KnownMethod.Count;
        var tags = new List<KeyValuePair<string, object?>>
        {
            new("http.request.method", KnownMethod.NameOf((key >> 2) % KnownMethod.Count)),
            new("url.scheme", SchemeOf((key & 2) != 0)),
            new("network.protocol.version", (key & 1) != 0 ? "1.0" : "1.1"),
        };
        if (status != 0)
            tags.Add(new("http.response.status_code", status));
        if (route is not null)
            tags.Add(new("http.route", route));
        if (new RequestOutcome(status, error).ErrorType is { } type)
            tags.Add(new("error.type", type));
        return new Entry(key, error, [.. tags]);
    }

    public static string SchemeOf(bool isHttps) => isHttps ? "https" : "http";
}
