namespace NetGo.Http;

/// <summary>How the requests that one pattern matches stand to those that another matches.</summary>
internal enum PatternRelation
{
    /// <summary>They are the same.</summary>
    Equivalent,

    /// <summary>The first matches all of the second's, and others.</summary>
    MoreGeneral,

    /// <summary>The second matches all of the first's, and others.</summary>
    MoreSpecific,

    /// <summary>No request is matched by both.</summary>
    Disjoint,

    /// <summary>Some are matched by both, some only by the first, some only by the second.</summary>
    Overlaps,
}
