using System.Buffers;

namespace NetGo.Http;

/// <summary>
/// Walks a path down a tree of <see cref="PathNode{T}"/>. At each node a literal is tried first, then a wildcard, then the
/// rest, and what leads nowhere is taken back. Of two patterns that match a request one is the more specific (those where
/// neither is are refused when they are registered), and the more specific one is found first: where their paths differ
/// first, it has the narrower segment, and where they do not, <see cref="MethodTable{T}.Find"/> prefers the narrower method.
/// </summary>
internal ref struct PathWalk<T>
    where T : class
{
    private readonly ReadOnlySpan<byte> _path;
    private readonly ReadOnlySpan<byte> _method;
    private readonly PathMatch _match;
    private readonly bool _escaped;
    private SortedSet<string>? _methods;
    private bool _collecting;

    public PathWalk(ReadOnlySpan<byte> path, ReadOnlySpan<byte> method, PathMatch match)
    {
        _path = path;
        _method = method;
        _match = match;
        _escaped = path.Contains((byte)'%');
    }

    /// <summary>
    /// Walks as if the path, which does not end with a slash, had one more. If such a walk ends with a wider pattern, that is
    /// the one the walk without the slash ended with, and it captures the same.
    /// </summary>
    public bool AppendSlash { get; set; }

    /// <summary>Whether the last walk ended with a pattern that names this path, not a part of the tree above it.</summary>
    public bool Exact { get; private set; }

    /// <summary>The most specific route from <paramref name="specific"/>, else from <paramref name="general"/>.</summary>
    public Route<T>? Find(PathNode<T>? specific, PathNode<T> general)
    {
        Exact = false;
        return (specific is null ? null : Visit(specific, 0, 0)) ?? Visit(general, 0, 0);
    }

    /// <summary>
    /// The sorted methods that the path, or else the path and a slash, has routes for; null if there are none.
    /// </summary>
    public string[]? FindMethods(PathNode<T>? specific, PathNode<T> general)
    {
        // A walk that collects takes no route, so it comes by all of them.
        _collecting = true;
        AppendSlash = false;
        Find(specific, general);
        if (_path[^1] != '/')
        {
            AppendSlash = true;
            Find(specific, general);
        }

        return _methods is null ? null : [.. _methods];
    }

    // `position` is that of a slash, or the end of the path.
    private Route<T>? Visit(PathNode<T> node, int position, int captured)
    {
        if (position == _path.Length && !AppendSlash)
            return Take(node.End, exact: true);
        if (position >= _path.Length - 1)
        {
            _match.Capture(captured, _path.Length, 0);
            return Take(node.TrailingSlash, exact: true) ?? Take(node.Rest, exact: true);
        }

        int start = position + 1;
        int length = _path[start..].IndexOf((byte)'/');
        if (length < 0)
            length = _path.Length - start;

        if (FindLiteral(node, _path.Slice(start, length)) is { } child && Visit(child, start + length, captured) is { } literal)
            return literal;
        if (node.Wildcard is not null)
        {
            _match.Capture(captured, start, length);
            if (Visit(node.Wildcard, start + length, captured + 1) is { } wild)
                return wild;
        }

        if (node.Rest is null)
            return null;
        _match.Capture(captured, start, _path.Length - start);
        return Take(node.Rest, exact: false);
    }

    private Route<T>? Take(MethodTable<T>? table, bool exact)
    {
        if (table is null)
            return null;
        if (_collecting)
        {
            table.AddMethodsTo(ref _methods);
            return null;
        }

        Exact = exact;
        return table.Find(_method);
    }

    private readonly PathNode<T>? FindLiteral(PathNode<T> node, ReadOnlySpan<byte> segment)
    {
        if (_escaped && node.Literals.Count > 0)
        {
            // What has no room here is longer than any literal, escaped or not; what is malformed stays as it is.
            Span<byte> decoded = _match.Scratch(node.Literals.LongestKey);
            if (PercentEncoding.Decode(segment, decoded, out int written) == OperationStatus.Done)
                segment = decoded[..written];
        }

        return node.Literals.Find(segment);
    }
}
