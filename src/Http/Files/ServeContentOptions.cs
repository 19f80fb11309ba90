namespace NetGo.Http;

/// <summary>How a content is served. Not to be changed once it is in use.</summary>
public class ServeContentOptions
{
    internal static ServeContentOptions Default { get; } = new();

    /// <summary>The most ranges that a request may ask for; more are ignored, and the whole is sent: many small ones cost more in heads of
    /// parts than they have bytes. 64 by default.</summary>
    public int MaxRanges { get; set; } = 64;

    /// <summary>Media types by extension ("." and all), before those of <see cref="Http.ContentTypes"/>; without regard to case.</summary>
    public IDictionary<string, string> ContentTypes { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether X-Content-Type-Options: nosniff is sent, so that no browser takes a file for something else. True by default.</summary>
    public bool NoSniff { get; set; } = true;

    internal string? TypeOf(string name) =>
        ContentTypes.Count > 0 && ContentTypes.TryGetValue(Path.GetExtension(name), out string? type) ? type : Http.ContentTypes.ByFileName(name);
}
