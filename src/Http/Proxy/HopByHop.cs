using System.Collections.Frozen;

namespace NetGo.Http;

/// <summary>What is said to the next recipient only (RFC 9110, section 7.6.1), and what frames a message: none of it is passed on as it came.
/// </summary>
internal static class HopByHop
{
    private static readonly FrozenSet<string> s_names = new[]
    {
        "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization", "Proxy-Connection", "TE",
        "Trailer", "Transfer-Encoding", "Upgrade",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> s_framing =
        new[] { "Content-Length", "Host", "Transfer-Encoding" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> s_forwarding =
        new[] { "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static bool Contains(string name) => s_names.Contains(name);

    /// <summary>What the proxy decides for each of its two sides.</summary>
    public static bool IsFraming(string name) => s_framing.Contains(name);

    /// <summary>The fields of a request that are for the backend too. Of what clients say about those behind them nothing: only who knows that a
    /// proxy stands in front can believe it.</summary>
    public static void CopyToBackend(Request request, HeaderFields to)
    {
        var named = new HashSet<string>(Members(request.Header.GetAll("Connection")), StringComparer.OrdinalIgnoreCase);
        foreach ((string name, string value) in request.Header)
        {
            if (!s_names.Contains(name) && !s_framing.Contains(name) && !s_forwarding.Contains(name) && !named.Contains(name))
                to.Add(name, value);
        }
        var own = new List<string>();
        if (Members(request.Header.GetAll("TE")).Contains("trailers", StringComparer.OrdinalIgnoreCase))
        {
            to.Add("TE", "trailers");
            own.Add("TE");
        }
        if (!request.IsHttp10 && named.Contains("Upgrade") && ProtocolsOf(request) is { Length: > 0 } protocols)
        {
            to.Add("Upgrade", protocols);
            own.Add("Upgrade");
        }
        if (own.Count > 0)
            to.Add("Connection", string.Join(", ", own));
        if (request.IsHttp10)
            to.Remove("Expect"); // RFC 9110, section 10.1.1
    }

    // Not HTTP/2 without TLS: who speaks that through a tunnel sends requests that nobody has looked at. RFC 9113 has done away with it.
    private static string ProtocolsOf(Request request) =>
        string.Join(", ", Members(request.Header.GetAll("Upgrade")).Where(p => !p.Equals("h2c", StringComparison.OrdinalIgnoreCase)));

    /// <summary>The members of a list field, of all its lines.</summary>
    public static List<string> Members(IEnumerable<string> lines)
    {
        var members = new List<string>();
        foreach (string line in lines)
            members.AddRange(line.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        return members;
    }
}
