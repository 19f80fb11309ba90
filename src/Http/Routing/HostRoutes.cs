namespace NetGo.Http;

/// <summary>The routes of one host, or those without a host. Only read once it is published.</summary>
internal sealed class HostRoutes<T>
    where T : class
{
    public PathNode<T> Root { get; } = new();

    /// <summary>
    /// A shortcut to the routes whose path is all literal, by the path as it stands in a request that escapes nothing. A
    /// path found here is clean, and its route, if there is one for the method, is the most specific of this host: any
    /// other pattern that matches the path is wider, or it would be in conflict.
    /// </summary>
    public LiteralTable<MethodTable<T>> Exact { get; } = new();

    public void Add(Route<T> route)
    {
        MethodTable<T> table = Root.Add(route);
        if (LiteralPath(route.Pattern) is { } path && Exact.Find(path) is null)
            Exact.Add(path, table);
    }

    private static byte[]? LiteralPath(Pattern pattern)
    {
        var path = new List<byte>();
        foreach (PatternSegment segment in pattern.Segments)
        {
            // A percent sign or a slash in a segment is always escaped in a request.
            if (segment.Kind is SegmentKind.Wildcard or SegmentKind.Rest || segment.Literal.AsSpan().ContainsAny("%/"u8))
                return null;
            path.Add((byte)'/');
            path.AddRange(segment.Literal);
        }

        byte[] bytes = [.. path];
        return RequestPath.IsClean(bytes) ? bytes : null;
    }
}
