namespace NetGo.Http;

/// <summary>What one part of a pattern's path matches.</summary>
internal enum SegmentKind : byte
{
    /// <summary>One segment with exactly these bytes once it is unescaped.</summary>
    Literal,

    /// <summary><c>{name}</c>: any one segment, but not the slash that ends a path.</summary>
    Wildcard,

    /// <summary><c>{$}</c>: the slash that ends a path.</summary>
    TrailingSlash,

    /// <summary><c>{name...}</c>, or the slash that ends a pattern: all that is left of the path, from a slash on.</summary>
    Rest,
}

/// <summary>One part of a pattern's path.</summary>
/// <param name="Kind">What it matches.</param>
/// <param name="Literal">The unescaped bytes of a literal; empty for the other kinds.</param>
/// <param name="Name">The name of a wildcard; empty for the other kinds and for a pattern's last slash.</param>
internal readonly record struct PatternSegment(SegmentKind Kind, byte[] Literal, string Name);
