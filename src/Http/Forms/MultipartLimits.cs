namespace NetGo.Http;

/// <summary>The limits of <see cref="Request.ReadMultipartFormAsync"/>, each with a default that a public server can keep.
/// <see cref="Server.MaxRequestBodySize"/> holds besides.</summary>
public sealed class MultipartLimits
{
    internal static MultipartLimits Default { get; } = new();

    /// <summary>The longest content with all its parts, in bytes. 128 MiB by default.</summary>
    public long MaxLength { get; init; } = 128 * 1024 * 1024;

    /// <summary>The most parts. 1,000 by default, as in Go.</summary>
    public int MaxParts { get; init; } = 1000;

    /// <summary>The most fields of a part. 16 by default.</summary>
    public int MaxPartHeaderCount { get; init; } = 16;

    /// <summary>The longest head of a part, in bytes. 16 KiB by default.</summary>
    public int MaxPartHeaderBytes { get; init; } = 16 * 1024;

    /// <summary>How long the values that are no files may be, all together, in bytes: they are kept in memory. 4 MiB by default.</summary>
    public int MaxValueBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>How much of files is kept in memory, of all together, in bytes: a file for which that does not suffice goes to a temporary
    /// one. 1 MiB by default.</summary>
    public int MaxFileMemory { get; init; } = 1024 * 1024;

    /// <summary>Where temporary files go; null for the system's place.</summary>
    public string? TemporaryDirectory { get; init; }
}
