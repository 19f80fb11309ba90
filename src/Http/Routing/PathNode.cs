namespace NetGo.Http;

/// <summary>
/// A node of the tree of paths: what may come after the segments that lead to it. Only read once it is published.
/// </summary>
internal sealed class PathNode<T>
    where T : class
{
    /// <summary>By a literal segment.</summary>
    public LiteralTable<PathNode<T>> Literals { get; } = new();

    /// <summary>By a segment of any text.</summary>
    public PathNode<T>? Wildcard { get; private set; }

    /// <summary>The routes of a path that ends here.</summary>
    public MethodTable<T>? End { get; private set; }

    /// <summary>The routes of a path of which only a slash is left.</summary>
    public MethodTable<T>? TrailingSlash { get; private set; }

    /// <summary>The routes of whatever is left of a path, at least a slash.</summary>
    public MethodTable<T>? Rest { get; private set; }

    /// <summary>Adds a route below this node and returns the table it ends in.</summary>
    public MethodTable<T> Add(Route<T> route)
    {
        PathNode<T> node = this;
        foreach (PatternSegment segment in route.Pattern.Segments)
        {
            switch (segment.Kind)
            {
                case SegmentKind.Literal:
                    node = node.Literal(segment.Literal);
                    break;
                case SegmentKind.Wildcard:
                    node = node.Wildcard ??= new PathNode<T>();
                    break;
                case SegmentKind.TrailingSlash:
                    return Append(node.TrailingSlash ??= new MethodTable<T>(), route);
                case SegmentKind.Rest:
                    return Append(node.Rest ??= new MethodTable<T>(), route);
            }
        }

        return Append(node.End ??= new MethodTable<T>(), route);
    }

    private static MethodTable<T> Append(MethodTable<T> table, Route<T> route)
    {
        table.Add(route);
        return table;
    }

    private PathNode<T> Literal(byte[] literal)
    {
        if (Literals.Find(literal) is { } child)
            return child;
        child = new PathNode<T>();
        Literals.Add(literal, child);
        return child;
    }
}
