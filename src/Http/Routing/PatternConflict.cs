using System.Text;

namespace NetGo.Http;

/// <summary>Explains a conflict between two patterns by example requests.</summary>
internal static class PatternConflict
{
    /// <summary>A sentence or two on why <paramref name="added"/> cannot stand beside <paramref name="present"/>.</summary>
    public static string Describe(Pattern added, Pattern present)
    {
        string conflict = $"The pattern \"{added}\" conflicts with \"{present}\", which is registered already: ";
        if (PatternComparison.CompareMethodsAndPaths(added, present) == PatternRelation.Equivalent)
            return conflict + $"both match the same requests, such as {ExampleOfBoth(added, present)}. Drop one of them.";
        return conflict
            + $"both match {ExampleOfBoth(added, present)}, but only \"{added}\" matches {ExampleOfFirstOnly(added, present)}"
            + $" and only \"{present}\" matches {ExampleOfFirstOnly(present, added)}, so neither is the more specific one."
            + " Narrow one of them until it matches only what the other matches too, or nothing of it.";
    }

    /// <summary>A request, as in <c>GET /a/b</c>, that both of two conflicting patterns match.</summary>
    public static string ExampleOfBoth(Pattern first, Pattern second)
    {
        var path = new StringBuilder();
        AppendCommon(path, first, second, int.MaxValue);
        return Request(CommonMethod(first, second), first.Host, path);
    }

    /// <summary>A request that the first of two overlapping patterns matches and the second does not.</summary>
    public static string ExampleOfFirstOnly(Pattern first, Pattern second)
    {
        var path = new StringBuilder();
        if (PatternComparison.CompareMethods(first.Method, second.Method) == PatternRelation.MoreGeneral)
        {
            AppendCommon(path, first, second, int.MaxValue);
            return Request(second.Method == "GET" ? "POST" : "GET", first.Host, path);
        }

        int wider = 0;
        while (PatternComparison.CompareSegments(first.Segments[wider], second.Segments[wider]) != PatternRelation.MoreGeneral)
            wider++;
        AppendCommon(path, first, second, wider);
        PatternSegment narrow = second.Segments[wider];
        if (first.Segments[wider].Kind == SegmentKind.Rest && narrow.Kind != SegmentKind.TrailingSlash)
            path.Append('/');
        else
            path.Append(narrow.Literal is [(byte)'x'] ? "/y" : "/x");
        AppendSegments(path, first.Segments.AsSpan(wider + 1));
        return Request(CommonMethod(first, second), first.Host, path);
    }

    private static string CommonMethod(Pattern first, Pattern second)
    {
        if (PatternComparison.CompareMethods(first.Method, second.Method) == PatternRelation.MoreSpecific)
            return first.Method;
        return second.Method.Length > 0 ? second.Method : "GET";
    }

    // What both match, of the first `count` segments.
    private static void AppendCommon(StringBuilder path, Pattern first, Pattern second, int count)
    {
        for (int i = 0; i < count && i < first.Segments.Length && i < second.Segments.Length; i++)
        {
            if (first.Segments[i].Kind == SegmentKind.Rest)
            {
                AppendSegments(path, second.Segments.AsSpan(i));
                return;
            }

            if (second.Segments[i].Kind == SegmentKind.Rest)
            {
                AppendSegments(path, first.Segments.AsSpan(i));
                return;
            }

            AppendSegment(path, first.Segments[i].Kind == SegmentKind.Wildcard ? second.Segments[i] : first.Segments[i]);
        }
    }

    private static void AppendSegments(StringBuilder path, ReadOnlySpan<PatternSegment> segments)
    {
        foreach (PatternSegment segment in segments)
            AppendSegment(path, segment);
    }

    private static void AppendSegment(StringBuilder path, in PatternSegment segment)
    {
        path.Append('/');
        if (segment.Kind == SegmentKind.Literal)
            path.Append(Uri.EscapeDataString(Encoding.UTF8.GetString(segment.Literal)));
        else if (segment.Kind == SegmentKind.Wildcard)
            path.Append('x');
    }

    private static string Request(string method, string host, StringBuilder path) => $"{method} {host}{path}";
}
