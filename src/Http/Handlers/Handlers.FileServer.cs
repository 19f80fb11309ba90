namespace NetGo.Http;

public static partial class Handlers
{
    /// <summary>Serves the files below a directory to GET and HEAD, by the path of the request; Go's http.FileServer. Files have Last-Modified
    /// and a strong ETag; preconditions and ranges are honoured (RFC 9110, sections 13 and 14). A directory is its index.html. As in Go,
    /// /dir is redirected to /dir/, and /index.html to ./ .
    /// <para>Nothing outside the root is served: not by dot segments or backslashes, escaped or not, which are answered with 400; not by
    /// names that Windows takes for drives, streams or devices; not by symbolic links, unless an option allows it. Nor are FIFOs, sockets,
    /// devices, and files whose names begin with a dot: 404.</para></summary>
    /// <param name="root">The directory. It may be a link that is moved later.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such directory.</exception>
    public static IHandler FileServer(string root, FileServerOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(root);
        if (!Directory.Exists(root))
            throw new DirectoryNotFoundException($"There is no directory \"{root}\" whose files could be served.");
        return new FileServer(root, options ?? new FileServerOptions());
    }
}
