namespace NetGo;

/// <summary>A place in the source; the default value when it is not known.</summary>
/// <param name="File">The path that the compiler was given.</param>
/// <param name="Line">From 1.</param>
internal readonly record struct SourceLine(string? File, int Line);
