using System.Text;

namespace NetGo.Http;

/// <summary>Queries on their way through a proxy.</summary>
internal static class ProxyQuery
{
    /// <summary>A query without the pairs that one reader takes for others than the next does: who has looked at the request here must have
    /// seen what the backend sees. Go's cleanQueryParams, which also sorts and escapes the rest.</summary>
    public static string Clean(string query)
    {
        if (IsPlain(query))
            return query;
        var kept = new StringBuilder(query.Length);
        foreach (Range range in query.AsSpan().Split('&'))
        {
            ReadOnlySpan<char> pair = query.AsSpan(range);
            if (!IsPlain(pair))
                continue;
            if (kept.Length > 0)
                kept.Append('&');
            kept.Append(pair);
        }
        return kept.ToString();
    }

    public static string Join(string first, string second) => first.Length == 0 || second.Length == 0 ? first + second : $"{first}&{second}";

    private static bool IsPlain(ReadOnlySpan<char> text)
    {
        while (text.IndexOfAny(';', '%') is var found and >= 0)
        {
            if (text[found] == ';' || text.Length < found + 3 || !char.IsAsciiHexDigit(text[found + 1]) || !char.IsAsciiHexDigit(text[found + 2]))
                return false;
            text = text[(found + 3)..];
        }
        return true;
    }
}
