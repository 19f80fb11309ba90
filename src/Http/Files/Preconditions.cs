namespace NetGo.Http;

// RFC 9110, section 13.2.2: the order in which a request's preconditions are looked at, against a representation that exists.
//
//   1. If-Match, and false: 412            strong comparison
//   2. else, without it, If-Unmodified-Since, and false: 412
//   3. If-None-Match, and false: 304 for GET and HEAD, else 412      weak comparison
//   4. else, without it, for GET and HEAD, If-Modified-Since, and false: 304
//   5. for GET with Range, If-Range: false, and Range counts for nothing
internal enum PreconditionOutcome
{
    Proceed,
    NotModified,
    Failed,
}

internal static class Preconditions
{
    public static PreconditionOutcome Evaluate(Request request, string? tag, DateTimeOffset? modified)
    {
        ReadOnlySpan<byte> method = request.RawMethod;
        if (method.SequenceEqual("OPTIONS"u8) || method.SequenceEqual("TRACE"u8) || method.SequenceEqual("CONNECT"u8))
            return PreconditionOutcome.Proceed; // RFC 9110, 13.2.1: they select no representation
        bool safe = request.IsHead || method.SequenceEqual("GET"u8);
        if (Joined(request, "If-Match") is { } match)
        {
            if (!EntityTag.IsIn(match, tag, strong: true))
                return PreconditionOutcome.Failed;
        }
        else if (modified is { } known && Date(request, "If-Unmodified-Since") is { } unmodifiedSince
            && HttpDate.Seconds(known) > HttpDate.Seconds(unmodifiedSince))
        {
            return PreconditionOutcome.Failed;
        }
        if (Joined(request, "If-None-Match") is { } noneMatch)
        {
            if (EntityTag.IsIn(noneMatch, tag, strong: false))
                return safe ? PreconditionOutcome.NotModified : PreconditionOutcome.Failed;
        }
        else if (safe && modified is { } time && Date(request, "If-Modified-Since") is { } modifiedSince
            && HttpDate.Seconds(time) <= HttpDate.Seconds(modifiedSince))
        {
            return PreconditionOutcome.NotModified;
        }
        return PreconditionOutcome.Proceed;
    }

    /// <summary>The Range field, if it counts. GET is the only method for which it means something (RFC 9110, section 14.2).</summary>
    public static string? RangeOf(Request request, string? tag, DateTimeOffset? modified)
    {
        if (!request.RawMethod.SequenceEqual("GET"u8) || request.Header.Get("Range") is not { } range || request.Header.GetAll("Range").Count > 1)
            return null;
        if (Joined(request, "If-Range") is not { } condition)
            return range;
        ReadOnlySpan<char> asked = EntityTag.Scan(condition, out ReadOnlySpan<char> rest);
        if (!asked.IsEmpty)
            return rest.IsEmpty && EntityTag.StrongMatch(asked, tag) ? range : null;
        // A date must be the very one: it is compared as a validator, and no order is asked for.
        return modified is { } time && HttpDate.TryParse(condition, out DateTimeOffset date) && HttpDate.Seconds(date) == HttpDate.Seconds(time)
            ? range
            : null;
    }

    // A date that is malformed, or one of several, counts for nothing.
    private static DateTimeOffset? Date(Request request, string name) =>
        Joined(request, name) is { } text && HttpDate.TryParse(text, out DateTimeOffset date) ? date : null;

    private static string? Joined(Request request, string name)
    {
        if (request.Header.Get(name) is not { } first)
            return null;
        IReadOnlyList<string> all = request.Header.GetAll(name);
        return all.Count == 1 ? first : string.Join(", ", all);
    }
}
