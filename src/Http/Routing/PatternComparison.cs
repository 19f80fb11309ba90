namespace NetGo.Http;

/// <summary>
/// Compares patterns by the requests they match. Methods and the segments of a path choose independently of each other, so
/// each is compared on its own and the answers are combined.
/// </summary>
internal static class PatternComparison
{
    /// <summary>
    /// Whether some request is matched by both patterns with neither the better match. A pattern with a host is always
    /// better than one without.
    /// </summary>
    public static bool Conflict(Pattern first, Pattern second) =>
        first.Host == second.Host
        && CompareMethodsAndPaths(first, second) is PatternRelation.Equivalent or PatternRelation.Overlaps;

    /// <summary>How the patterns compare when their hosts are not looked at.</summary>
    public static PatternRelation CompareMethodsAndPaths(Pattern first, Pattern second) =>
        Combine(CompareMethods(first.Method, second.Method), ComparePaths(first.Segments, second.Segments));

    public static PatternRelation CompareMethods(string first, string second)
    {
        if (first == second)
            return PatternRelation.Equivalent;
        return (first, second) switch
        {
            ("", _) or ("GET", "HEAD") => PatternRelation.MoreGeneral,
            (_, "") or ("HEAD", "GET") => PatternRelation.MoreSpecific,
            _ => PatternRelation.Disjoint,
        };
    }

    public static PatternRelation ComparePaths(ReadOnlySpan<PatternSegment> first, ReadOnlySpan<PatternSegment> second)
    {
        PatternRelation relation = PatternRelation.Equivalent;
        for (int i = 0; i < first.Length && i < second.Length; i++)
        {
            relation = Combine(relation, CompareSegments(first[i], second[i]));
            // A rest takes whatever follows in the other pattern.
            if (relation == PatternRelation.Disjoint || first[i].Kind == SegmentKind.Rest || second[i].Kind == SegmentKind.Rest)
                return relation;
        }

        return first.Length == second.Length ? relation : PatternRelation.Disjoint;
    }

    public static PatternRelation CompareSegments(in PatternSegment first, in PatternSegment second)
    {
        if (first.Kind == second.Kind)
        {
            bool same = first.Kind != SegmentKind.Literal || first.Literal.AsSpan().SequenceEqual(second.Literal);
            return same ? PatternRelation.Equivalent : PatternRelation.Disjoint;
        }

        return (first.Kind, second.Kind) switch
        {
            (SegmentKind.Rest, _) or (SegmentKind.Wildcard, SegmentKind.Literal) => PatternRelation.MoreGeneral,
            (_, SegmentKind.Rest) or (SegmentKind.Literal, SegmentKind.Wildcard) => PatternRelation.MoreSpecific,
            _ => PatternRelation.Disjoint,
        };
    }

    private static PatternRelation Combine(PatternRelation first, PatternRelation second)
    {
        if (first == second || second == PatternRelation.Equivalent)
            return first;
        if (first == PatternRelation.Equivalent)
            return second;
        return first == PatternRelation.Disjoint || second == PatternRelation.Disjoint
            ? PatternRelation.Disjoint
            : PatternRelation.Overlaps;
    }
}
