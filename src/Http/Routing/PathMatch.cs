using System.Runtime.CompilerServices;

namespace NetGo.Http;

/// <summary>
/// What the last <see cref="RoutingTree{T}.Match"/> found beside the route's value: made once, for a connection say, and
/// used again for each request. What a wildcard matched is kept as a place in the path and made a string when it is asked
/// for, so the caller keeps the path. Not thread-safe.
/// </summary>
internal sealed class PathMatch
{
    private (int Start, int Length)[] _captures = [];
    private byte[] _scratch = [];
    private string[]? _allowedMethods;

    /// <summary>The pattern that matched, or that the redirect leads to; null if there is none.</summary>
    public Pattern? Pattern { get; private set; }

    /// <summary>How many wildcards with a name have a value.</summary>
    public int Count { get; private set; }

    /// <summary>After <see cref="RouteOutcome.Redirect"/> the path, escaped, to redirect to; the query is the caller's to add.</summary>
    public string? RedirectPath { get; private set; }

    /// <summary>After <see cref="RouteOutcome.MethodNotAllowed"/> the methods for the Allow field, sorted; else empty.</summary>
    public string[] AllowedMethods => _allowedMethods ?? [];

    /// <summary>Where in the path the value of the wildcard <paramref name="name"/> stands, escaped as it came.</summary>
    public bool TryGetRange(string name, out int start, out int length)
    {
        for (int i = 0; i < Count; i++)
        {
            if (Pattern!.WildcardNames[i] == name)
            {
                (start, length) = _captures[i];
                return true;
            }
        }

        (start, length) = (0, 0);
        return false;
    }

    /// <summary>
    /// The value of the wildcard <paramref name="name"/>: unescaped and read as UTF-8, or as it came where its escapes are
    /// malformed. It may hold slashes and dots, escaped in the path.
    /// </summary>
    /// <param name="name">The wildcard's name.</param>
    /// <param name="path">The path that was matched.</param>
    /// <param name="value">The value, or empty.</param>
    /// <returns>Whether the pattern has a wildcard of this name.</returns>
    public bool TryGetValue(string name, ReadOnlySpan<byte> path, out string value)
    {
        bool found = TryGetRange(name, out int start, out int length);
        value = found ? PercentEncoding.DecodeToString(path.Slice(start, length)) : "";
        return found;
    }

    /// <summary>Forgets the last match.</summary>
    public void Reset()
    {
        Pattern = null;
        Count = 0;
        RedirectPath = null;
        _allowedMethods = null;
    }

    internal void SetFound(Pattern pattern)
    {
        Pattern = pattern;
        Count = pattern.WildcardNames.Length;
    }

    internal void SetRedirect(Pattern? pattern, string path)
    {
        Pattern = pattern;
        RedirectPath = path;
    }

    internal void SetAllowedMethods(string[] methods) => _allowedMethods = methods;

    internal void Capture(int index, int start, int length)
    {
        if (index >= _captures.Length)
            Grow();
        _captures[index] = (start, length);
    }

    /// <summary>Room for unescaping one segment; good until the next call.</summary>
    internal Span<byte> Scratch(int length)
    {
        if (length > _scratch.Length)
            _scratch = new byte[Math.Max(32, length)];
        return _scratch.AsSpan(0, length);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Grow() => Array.Resize(ref _captures, Math.Max(2, _captures.Length * 2));
}
