using System.IO.Compression;

namespace NetGo.Http;

/// <summary>How <see cref="Middleware.WithCompression"/> compresses. Not to be changed once it is in use.
/// <para>BREACH (https://www.breachattack.com/): over TLS, who sees the length of an answer and can have text of his own put into it may
/// find out a secret that the same answer holds, such as a CSRF token. Do not compress such answers (Cache-Control: no-transform keeps
/// one from it), or mask the secret anew in each.</para></summary>
public sealed class CompressionOptions
{
    /// <summary>The codings that may be chosen, the preferred ones first: "br" and "gzip".</summary>
    public IList<string> Codings { get; } = ["br", "gzip"];

    /// <summary>Content that is known to be shorter is sent as it is; in bytes. 1,024 by default.</summary>
    public int MinimumSize { get; set; } = 1024;

    /// <summary>How hard to try. Fastest by default.</summary>
    public CompressionLevel Level { get; set; } = CompressionLevel.Fastest;

    /// <summary>The media types that are compressed, without parameters. Those of text, and not text/event-stream: each stream of events
    /// would hold some 100 KiB as long as it lasts. It can be added: a flush sends what was written until then.</summary>
    public ISet<string> MediaTypes { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase)
    {
        "text/html", "text/plain", "text/css", "text/csv", "text/xml", "text/markdown", "text/javascript", "text/calendar", "text/vtt",
        "application/javascript", "application/json", "application/ld+json", "application/manifest+json", "application/problem+json",
        "application/xml", "application/xhtml+xml", "application/rss+xml", "application/atom+xml", "application/yaml",
        "application/wasm", "image/svg+xml", "image/x-icon", "image/bmp", "font/ttf", "font/otf", "application/vnd.ms-fontobject",
    };
}
