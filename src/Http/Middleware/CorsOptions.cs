namespace NetGo.Http;

/// <summary>Which pages of other origins may use what <see cref="Middleware.WithCors"/> is put around. None by default. Not to be changed
/// once it is in use.</summary>
public sealed class CorsOptions
{
    /// <summary>Origins like "https://example.com", without a slash at the end, or "*" for all.</summary>
    public ISet<string> Origins { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Says of an origin that is not among <see cref="Origins"/> whether it may; null for no. Compare hosts whole: "evil-example.com"
    /// ends with "example.com" too.</summary>
    public Func<string, bool>? IsAllowed { get; set; }

    /// <summary>The methods. GET, HEAD and POST by default.</summary>
    public IList<string> Methods { get; } = ["GET", "HEAD", "POST"];

    /// <summary>The fields that a page may send beside the harmless ones, or "*" for all but Authorization.</summary>
    public IList<string> Headers { get; } = [];

    /// <summary>The fields of the response that a page may read beside the harmless ones.</summary>
    public IList<string> ExposedHeaders { get; } = [];

    /// <summary>Whether cookies and other credentials are sent, and answers to them may be read. False by default; not together with
    /// the origin "*".</summary>
    public bool AllowCredentials { get; set; }

    /// <summary>How long a browser may keep the answer to a preflight. Null, for the browser's own time (5 s), by default.</summary>
    public TimeSpan? MaxAge { get; set; }
}
