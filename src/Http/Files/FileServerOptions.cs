namespace NetGo.Http;

/// <summary>How <see cref="Handlers.FileServer"/> serves files. Not to be changed once it is in use. The defaults are those of a
/// public server.</summary>
public sealed class FileServerOptions : ServeContentOptions
{
    /// <summary>The file that stands for its directory; null for none. "index.html" by default.</summary>
    public string? IndexFile { get; set; } = "index.html";

    /// <summary>Whether a directory without an index is answered with a list of its files. False by default: with 404.</summary>
    public bool ListDirectories { get; set; }

    /// <summary>The most names of such a list. 10,000 by default.</summary>
    public int MaxListedNames { get; set; } = 10_000;

    /// <summary>Whether files and directories whose names begin with a dot are served. False by default, but for /.well-known (RFC 8615).</summary>
    public bool ServeDotFiles { get; set; }

    /// <summary>Whether a symbolic link may lead out of the root. False by default. Links within it are followed, always.</summary>
    public bool FollowLinksOutside { get; set; }

    /// <summary>Whether names are served that Windows takes for something else: of devices (NUL, COM1.txt), with a colon (drives, streams),
    /// a character that it does not allow, or a dot or space at the end. False by default; on Windows, always false.</summary>
    public bool ServeReservedNames { get; set; }

    /// <summary>Whether NAME.br or NAME.gz is sent in place of NAME to a client that accepts the coding. All files get Vary then. A file
    /// that is older than the one it stands for is sent, too: whoever changes one has to change the other. False by default.</summary>
    public bool ServePrecompressed { get; set; }

    /// <summary>Cache-Control of files; null, the default, for none.</summary>
    public string? CacheControl { get; set; }
}
