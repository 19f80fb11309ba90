using System.Globalization;

namespace NetGo.Http;

/// <summary>A range of bytes of a content, which has them all (RFC 9110, section 14.1.2).</summary>
internal readonly record struct ByteRange(long Start, long Length)
{
    private const int MaxDigits = 18;

    public enum Outcome
    {
        /// <summary>No range that counts: the whole is sent.</summary>
        Whole,

        Partial,

        /// <summary>None of the ranges has a byte of the content: 416.</summary>
        Unsatisfiable,
    }

    /// <summary>For Content-Range.</summary>
    public string Describe(long size) => string.Create(CultureInfo.InvariantCulture, $"bytes {Start}-{Start + Length - 1}/{size}");

    /// <summary>Reads a Range field. What is malformed or of another unit is ignored, as RFC 9110, section 14.2, allows; and so are ranges
    /// that are more than <paramref name="maxRanges"/> or together longer than the content, as in Go: they overlap, and would have the
    /// server send more than it has.</summary>
    public static Outcome Parse(string? field, long size, int maxRanges, out List<ByteRange> ranges)
    {
        ranges = [];
        if (field is null || !field.StartsWith("bytes=", StringComparison.OrdinalIgnoreCase))
            return Outcome.Whole;
        ReadOnlySpan<char> set = field.AsSpan(6);
        bool any = false;
        long sum = 0;
        foreach (Range part in set.Split(','))
        {
            ReadOnlySpan<char> text = set[part].Trim(" \t");
            if (text.IsEmpty)
                continue;
            if (!TryParseOne(text, size, out ByteRange range))
                return Ignore(ranges);
            any = true;
            if (range.Length == 0)
                continue;
            sum += range.Length;
            if (ranges.Count == maxRanges || sum > size)
                return Ignore(ranges);
            ranges.Add(range);
        }
        if (ranges.Count > 0)
            return Outcome.Partial;
        // Some clients ask for a range of everything, as a limit: an empty content is sent whole, as in Go.
        return any && size > 0 ? Outcome.Unsatisfiable : Outcome.Whole;
    }

    private static Outcome Ignore(List<ByteRange> ranges)
    {
        ranges.Clear();
        return Outcome.Whole;
    }

    // Length 0: it is well-formed, and the content has none of it.
    private static bool TryParseOne(ReadOnlySpan<char> text, long size, out ByteRange range)
    {
        range = default;
        int dash = text.IndexOf('-');
        if (dash < 0)
            return false;
        ReadOnlySpan<char> first = text[..dash].Trim(" \t");
        ReadOnlySpan<char> last = text[(dash + 1)..].Trim(" \t");
        if (first.IsEmpty)
        {
            if (!TryParseNumber(last, out long suffix))
                return false;
            suffix = Math.Min(suffix, size);
            range = new ByteRange(size - suffix, suffix);
            return true;
        }
        if (!TryParseNumber(first, out long start))
            return false;
        long end = long.MaxValue;
        if (!last.IsEmpty && (!TryParseNumber(last, out end) || end < start))
            return false;
        if (start < size)
            range = new ByteRange(start, Math.Min(end, size - 1) - start + 1);
        return true;
    }

    private static bool TryParseNumber(ReadOnlySpan<char> text, out long value)
    {
        value = 0;
        if (text.IsEmpty || text.ContainsAnyExceptInRange('0', '9'))
            return false;
        text = text.TrimStart('0');
        if (text.Length > MaxDigits)
            value = long.MaxValue; // past the end of everything
        else if (text.Length > 0)
            value = long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
        return true;
    }
}
