using System.Text;

namespace NetGo.Http;

// A handler may see another path and another query than those of the target, as long as what is around it has not ended: Handlers.StripPrefix
// and Handlers.AllowQuerySemicolons. The path is always an end of the target's, and each of the outer ones keeps what its ServeMux has matched.
public sealed partial class Request
{
    private OuterPath[] _stripped = [];
    private int _strippedCount;
    private byte[]? _otherQuery;

    private sealed class OuterPath
    {
        public (int Start, int Length) Path;
        public string? Text;
        public PathMatch? Match;

        // Not in use at present.
        public PathMatch? InnerMatch;
    }

    /// <summary>The path as the client knows it.</summary>
    internal ReadOnlySpan<byte> UnstrippedRawPath => _strippedCount == 0 ? RawPath : Slice(_stripped[0].Path);

    /// <summary>What was taken off the path, escaped; "" when nothing was.</summary>
    internal string StrippedPrefix => _strippedCount == 0
        ? ""
        : PercentEncoding.EscapePath(UnstrippedRawPath[..(_path.Start - _stripped[0].Path.Start)]);

    private Pattern? OuterPattern
    {
        get
        {
            for (int i = _strippedCount - 1; i >= 0; i--)
            {
                if (_stripped[i].Match?.Pattern is { } pattern)
                    return pattern;
            }
            return null;
        }
    }

    private string OuterPathValue(string name)
    {
        for (int i = _strippedCount - 1; i >= 0; i--)
        {
            OuterPath outer = _stripped[i];
            if (outer.Match is { } match && match.TryGetValue(name, Slice(outer.Path), out string value))
                return value;
        }
        return "";
    }

    /// <summary>Takes so many bytes off the front of the path, until <see cref="RestorePath"/>.</summary>
    internal void StripPath(int length)
    {
        if (_strippedCount == _stripped.Length)
        {
            Array.Resize(ref _stripped, _strippedCount + 1);
            _stripped[_strippedCount] = new OuterPath();
        }
        OuterPath outer = _stripped[_strippedCount++];
        (outer.Path, outer.Text, outer.Match) = (_path, _pathText, _pathMatch);
        (_path, _pathText, _pathMatch) = ((_path.Start + length, _path.Length - length), null, outer.InnerMatch);
    }

    internal void RestorePath()
    {
        OuterPath outer = _stripped[--_strippedCount];
        _pathMatch?.Reset();
        outer.InnerMatch = _pathMatch;
        (_path, _pathText, _pathMatch) = (outer.Path, outer.Text, outer.Match);
        (outer.Text, outer.Match) = (null, null);
    }

    /// <summary>Puts another query in the place of the target's.</summary>
    /// <param name="query">Null for the target's.</param>
    /// <returns>What was in its place before.</returns>
    internal byte[]? ReplaceQuery(byte[]? query)
    {
        byte[]? before = _otherQuery;
        _otherQuery = query;
        _queryText = null;
        _queryValues = null;
        return before;
    }
}
