using System.Text;

namespace NetGo.Http;

/// <summary>The request that a <see cref="ReverseProxy"/> sends: what <see cref="ReverseProxy.Rewrite"/> makes of the one that came. Its content
/// is that of the one that came, and how it is framed is the proxy's to decide.</summary>
public sealed class OutgoingRequest
{
    internal OutgoingRequest(Request request)
    {
        Method = request.Method;
        Path = Encoding.ASCII.GetString(request.RawPath);
        Query = ProxyQuery.Clean(request.Query);
        HopByHop.CopyToBackend(request, Header);
    }

    /// <summary>The method; that of the request.</summary>
    public string Method { get; set; }

    /// <summary>The scheme, host and port to send it to; the rest of it is not looked at. Null until <see cref="ProxyRequest.SetUrl"/>.</summary>
    public Uri? Origin { get; set; }

    /// <summary>The path, escaped. It is sent byte for byte: neither dot segments nor escapes are touched.</summary>
    public string Path { get; set; }

    /// <summary>The query, escaped, without its question mark. As in Go, pairs that could be read in two ways (with a semicolon, or with a
    /// malformed escape) have been taken out; set it to that of <see cref="ProxyRequest.In"/> to pass them on.</summary>
    public string Query { get; set; }

    /// <summary>What is sent as Host; null for that of <see cref="Origin"/>.</summary>
    public string? Host { get; set; }

    /// <summary>The fields: those of the request without the hop-by-hop ones (RFC 9110, section 7.6.1), Forwarded and
    /// X-Forwarded-For, -Host and -Proto. Content-Length, Transfer-Encoding and Host are not sent from here.</summary>
    public HeaderFields Header { get; } = new();

    // Not by Uri's own rules: it decodes escapes and takes dot segments out, so that the backend would see another path than those who
    // have decided about the request.
    internal Uri ToUri()
    {
        if (Origin is not { IsAbsoluteUri: true } origin || (origin.Scheme != Uri.UriSchemeHttp && origin.Scheme != Uri.UriSchemeHttps))
            throw new InvalidOperationException("ReverseProxy.Rewrite must set the URL to an absolute http or https one: see ProxyRequest.SetUrl.");
        if (!Path.StartsWith('/') || Path.Contains('?', StringComparison.Ordinal))
            throw new InvalidOperationException($"\"{Path}\" is no path: it must begin with a slash, and a question mark in it must be escaped.");
        string target = (Query.Length > 0 ? $"{Path}?{Query}" : Path).Replace("#", "%23", StringComparison.Ordinal);
        if (!HttpSyntax.IsTarget(Encoding.UTF8.GetBytes(target)))
            throw new InvalidOperationException($"\"{target}\" cannot be sent: what is not printable ASCII must be escaped.");
        return new Uri(
            $"{origin.Scheme}://{origin.Authority}{target}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
    }
}
