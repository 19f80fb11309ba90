namespace NetGo.Http;

/// <summary>The limits of <see cref="Middleware.WithRequestDecompression"/>. Not to be changed once it is in use.</summary>
public sealed class RequestDecompressionOptions
{
    /// <summary>The longest content, decompressed, in bytes; beyond it the answer is 413. 30,000,000 by default, as for what is sent
    /// without compression.</summary>
    public long MaxDecompressedSize { get; set; } = 30_000_000;

    /// <summary>How many times as long as what was received the content may become, once it is longer than
    /// <see cref="RatioExemptSize"/>; beyond it the answer is 413. 100 by default: text has 10 at most.</summary>
    public int MaxRatio { get; set; } = 100;

    /// <summary>Up to this length, in bytes, any ratio will do. 1 MiB by default.</summary>
    public long RatioExemptSize { get; set; } = 1024 * 1024;
}
