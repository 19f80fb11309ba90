namespace NetGo.Http;

/// <summary>Entity tags and lists of them (RFC 9110, section 8.8.3).</summary>
internal static class EntityTag
{
    /// <summary>Takes a tag from the beginning of a text: [ W/ ] DQUOTE *etagc DQUOTE. Empty when none is there.</summary>
    public static ReadOnlySpan<char> Scan(ReadOnlySpan<char> text, out ReadOnlySpan<char> rest)
    {
        rest = default;
        int start = text.StartsWith("W/", StringComparison.Ordinal) ? 2 : 0;
        if (text.Length < start + 2 || text[start] != '"')
            return default;
        int length = text[(start + 1)..].IndexOf('"');
        if (length < 0 || text.Slice(start + 1, length).ContainsAnyInRange('\0', ' ') || text.Slice(start + 1, length).Contains('\x7f'))
            return default;
        int end = start + length + 2;
        rest = text[end..];
        return text[..end];
    }

    public static bool IsWeak(ReadOnlySpan<char> tag) => tag.StartsWith("W/", StringComparison.Ordinal);

    /// <summary>Neither is weak, and they are the same.</summary>
    public static bool StrongMatch(ReadOnlySpan<char> a, ReadOnlySpan<char> b) => !a.IsEmpty && !IsWeak(a) && a.SequenceEqual(b);

    public static bool WeakMatch(ReadOnlySpan<char> a, ReadOnlySpan<char> b) => !a.IsEmpty && Opaque(a).SequenceEqual(Opaque(b));

    /// <summary>Whether a list, or "*", has the tag of what there is. What follows a malformed member does not count, as in Go.</summary>
    public static bool IsIn(ReadOnlySpan<char> list, ReadOnlySpan<char> tag, bool strong)
    {
        while (true)
        {
            list = list.TrimStart(" \t,");
            if (list.StartsWith('*'))
                return true;
            ReadOnlySpan<char> member = Scan(list, out ReadOnlySpan<char> rest);
            if (member.IsEmpty)
                return false;
            if (strong ? StrongMatch(member, tag) : WeakMatch(member, tag))
                return true;
            list = rest;
        }
    }

    private static ReadOnlySpan<char> Opaque(ReadOnlySpan<char> tag) => IsWeak(tag) ? tag[2..] : tag;
}
