namespace Resp;

/// <summary>Patterns as of KEYS: * any bytes, ? any one, [abc], [^abc] and [a-c] one of those, \ takes the next one as it is.</summary>
internal static class GlobPattern
{
    // At a mismatch it goes back to the last * only: what an earlier one could take more, that one can too. So it is at most the product of both
    // lengths, and a client cannot have it try for ever.
    public static bool IsMatch(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> text)
    {
        int p = 0, t = 0, afterStar = -1, starTook = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                afterStar = ++p;
                starTook = t;
            }
            else if (p < pattern.Length && MatchesOne(pattern, ref p, text[t]))
            {
                t++;
            }
            else if (afterStar >= 0)
            {
                p = afterStar;
                t = ++starTook;
            }
            else
            {
                return false;
            }
        }
        while (p < pattern.Length && pattern[p] == '*')
            p++;
        return p == pattern.Length;
    }

    private static bool MatchesOne(ReadOnlySpan<byte> pattern, ref int p, byte b)
    {
        byte c = pattern[p++];
        switch (c)
        {
            case (byte)'?':
                return true;
            case (byte)'[':
                return MatchesSet(pattern, ref p, b);
            case (byte)'\\' when p < pattern.Length:
                return pattern[p++] == b;
            default:
                return c == b;
        }
    }

    // A set that is not closed ends with the pattern, as in Redis.
    private static bool MatchesSet(ReadOnlySpan<byte> pattern, ref int p, byte b)
    {
        bool isNegated = p < pattern.Length && pattern[p] == '^';
        if (isNegated)
            p++;
        bool isIn = false;
        while (p < pattern.Length && pattern[p] != ']')
        {
            if (pattern[p] == '\\' && p + 1 < pattern.Length)
                p++;
            byte low = pattern[p++];
            byte high = low;
            if (p + 1 < pattern.Length && pattern[p] == '-' && pattern[p + 1] != ']')
            {
                high = pattern[p + 1];
                p += 2;
            }
            isIn |= low <= high ? b >= low && b <= high : b >= high && b <= low;
        }
        if (p < pattern.Length)
            p++;
        return isIn != isNegated;
    }
}
