namespace NetGo.Http;

/// <summary>A request that a <see cref="ReverseProxy"/> passes on; Go's httputil.ProxyRequest.</summary>
public sealed class ProxyRequest
{
    internal ProxyRequest(Request request, OutgoingRequest outgoing)
    {
        In = request;
        Out = outgoing;
    }

    /// <summary>The request as it came. Not to be changed.</summary>
    public Request In { get; }

    /// <summary>The request that will be sent.</summary>
    public OutgoingRequest Out { get; }

    /// <summary>Sends the request to another origin, its path behind that of the URL, its query behind that of the URL; Go's SetURL. The Host field
    /// becomes that of the URL: set <see cref="OutgoingRequest.Host"/> after it to keep the client's.</summary>
    /// <param name="target">An absolute URL of http or https.</param>
    /// <exception cref="ArgumentException">It is not.</exception>
    public void SetUrl(Uri target)
    {
        ThrowUnlessHttp(target);
        Out.Origin = target;
        Out.Path = Join(target.AbsolutePath, Out.Path);
        Out.Query = ProxyQuery.Join(target.Query.TrimStart('?'), Out.Query);
        Out.Host = null;
    }

    /// <summary>Says whom the request is passed on for: X-Forwarded-For is the client's address, X-Forwarded-Host the host that it asked for, and
    /// X-Forwarded-Proto "http" or "https"; Go's SetXForwarded. What the client itself has sent in these fields is not passed on, unless it has
    /// been copied from <see cref="In"/> before, when a proxy in front can be trusted: then the address is appended.</summary>
    public void SetXForwarded()
    {
        if (ClientAddress.Of(In) is { } address)
            Out.Header.Set("X-Forwarded-For", string.Join(", ", [.. Out.Header.GetAll("X-Forwarded-For"), address.ToString()]));
        else
            Out.Header.Remove("X-Forwarded-For");
        Out.Header.Set("X-Forwarded-Host", In.Host);
        Out.Header.Set("X-Forwarded-Proto", In.Scheme);
    }

    internal static void ThrowUnlessHttp(Uri target)
    {
        ArgumentNullException.ThrowIfNull(target);
        if (!target.IsAbsoluteUri || (target.Scheme != Uri.UriSchemeHttp && target.Scheme != Uri.UriSchemeHttps))
            throw new ArgumentException($"\"{target}\" is no absolute URL of http or https.", nameof(target));
    }

    private static string Join(string first, string second) => (first.EndsWith('/'), second.StartsWith('/')) switch
    {
        (true, true) => string.Concat(first, second.AsSpan(1)),
        (false, false) => $"{first}/{second}",
        _ => first + second,
    };
}
