namespace NetGo.Http;

/// <summary>
/// A pattern of <c>ServeMux</c>, <c>[METHOD ][HOST]/[PATH]</c>, with the meaning it has in Go 1.22's net/http.
/// </summary>
/// <remarks>
/// A path is seen as a row of segments, each the text after one slash; a slash with nothing behind it is a segment of its
/// own kind. So <c>/a/</c> is <c>a</c> and then <see cref="SegmentKind.Rest"/>, <c>/a/{$}</c> is <c>a</c> and then
/// <see cref="SegmentKind.TrailingSlash"/>, and a rest never matches nothing: <c>/a/{x...}</c> matches <c>/a/</c>, not
/// <c>/a</c>. Only the last segment can be a rest or a trailing slash. Immutable.
/// </remarks>
internal sealed class Pattern
{
    internal Pattern(string text, string method, string host, PatternSegment[] segments)
    {
        Text = text;
        Method = method;
        Host = host;
        Segments = segments;
        WildcardNames = [.. segments.Where(segment => segment.Name.Length > 0).Select(segment => segment.Name)];
    }

    /// <summary>The pattern as it was written.</summary>
    public string Text { get; }

    /// <summary>The method, or empty for all of them. <c>GET</c> is also for HEAD.</summary>
    public string Method { get; }

    /// <summary>The host in lower case and without a port, or empty for all of them.</summary>
    public string Host { get; }

    /// <summary>The path; never empty.</summary>
    public PatternSegment[] Segments { get; }

    /// <summary>The names of the wildcards, in the order of the path.</summary>
    public string[] WildcardNames { get; }

    /// <summary>Reads a pattern.</summary>
    /// <exception cref="FormatException"><paramref name="text"/> is not a pattern; the message says where and why.</exception>
    public static Pattern Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new PatternParser(text).Parse();
    }

    /// <summary>The path alone, as it was written: what telemetry calls the route.</summary>
    public string Route => field ??= Text[Text.IndexOf('/', StringComparison.Ordinal)..];

    /// <summary>For requests that it matched.</summary>
    public RequestTagCache Tags => field ??= new RequestTagCache(Route);

    public override string ToString() => Text;
}
