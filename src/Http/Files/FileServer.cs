using System.Globalization;
using System.Text;

namespace NetGo.Http;

/// <summary>Serves the files below a directory: see <see cref="Handlers.FileServer"/>.</summary>
/// <param name="root">The directory, or a file.</param>
/// <param name="options">Which files.</param>
/// <param name="usesLinuxCalls">False for the way of the systems without O_PATH.</param>
internal sealed class FileServer(string root, FileServerOptions options, bool usesLinuxCalls) : IHandler
{
    private static readonly string[] s_codings = ["br", "gzip"];

    private readonly FileRoot _root = new(root, options.FollowLinksOutside, usesLinuxCalls);

    public FileServer(string root, FileServerOptions options)
        : this(root, options, LinuxFiles.Works)
    {
    }

    public ValueTask ServeHttpAsync(ResponseWriter response, Request request)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(request);
        if (!request.IsHead && !request.RawMethod.SequenceEqual("GET"u8))
        {
            response.Header.Set("Allow", "GET, HEAD");
            return response.ErrorAsync(405);
        }
        int refusal = FilePath.Parse(request.RawPath, options, out string path);
        return refusal != 0 ? response.ErrorAsync(refusal) : ServeAsync(response, request, path);
    }

    /// <summary>Serves the root, which may be a file, whatever the request's path and method.</summary>
    public ValueTask ServeRootAsync(ResponseWriter response, Request request) =>
        FilePath.Parse(request.RawPath, options, out _) == 400 ? response.ErrorAsync(400) : ServeAsync(response, request, "");

    private ValueTask ServeAsync(ResponseWriter response, Request request, string path)
    {
        string url = Encoding.Latin1.GetString(request.RawPath);
        if (options.IndexFile is { } index && url.EndsWith("/" + index, StringComparison.Ordinal))
            return RedirectAsync(response, request, "./");
        FoundFile? file = null;
        string name = path;
        int refusal = Go.Blocking(() => Find(path, url, out file, out name));
        return refusal != 0 ? response.ErrorAsync(refusal) : ServeFoundAsync(response, request, url, name, file!);
    }

    // A directory that is asked for as one is its index, if it has one.
    private int Find(string path, string url, out FoundFile? file, out string name)
    {
        name = path;
        int refusal = _root.Open(path, out file);
        if (refusal != 0 || !file!.IsDirectory || !url.EndsWith('/') || options.IndexFile is not { } index)
            return refusal;
        string indexPath = path.Length == 0 ? index : $"{path}/{index}";
        if (_root.Open(indexPath, out FoundFile? found) != 0 || found!.IsDirectory)
        {
            found?.Dispose();
            return 0;
        }
        file.Dispose();
        file = found;
        name = indexPath;
        return 0;
    }

    private async ValueTask ServeFoundAsync(ResponseWriter response, Request request, string url, string name, FoundFile found)
    {
        using FoundFile file = found;
        string last = url.TrimEnd('/');
        last = last[(last.LastIndexOf('/') + 1)..];
        bool asDirectory = url.EndsWith('/');
        if (file.IsDirectory && !asDirectory)
        {
            await RedirectAsync(response, request, Reference(last) + "/");
        }
        else if (file.IsDirectory)
        {
            await ServeDirectoryAsync(response, request, file);
        }
        else if (asDirectory && last.Length > 0 && !IsIndex(name))
        {
            await RedirectAsync(response, request, "../" + Reference(last));
        }
        else
        {
            await ServeFileAsync(response, request, name.Length == 0 ? Path.GetFileName(root) : name, name.Length > 0, file);
        }
    }

    private bool IsIndex(string name) => options.IndexFile is { } index && Path.GetFileName(name) == index;

    private static string Reference(string rawName) => DirectoryListing.Escape(PercentEncoding.DecodeToString(Encoding.Latin1.GetBytes(rawName)));

    // Relative, as in Go: what stands before this handler may have taken a prefix off the path.
    private static ValueTask RedirectAsync(ResponseWriter response, Request request, string to)
    {
        response.Header.Set("Location", request.HasQuery ? $"{to}?{request.Query}" : to);
        return response.ErrorAsync(301);
    }

    private async ValueTask ServeDirectoryAsync(ResponseWriter response, Request request, FoundFile directory)
    {
        if (!options.ListDirectories)
        {
            await response.ErrorAsync(404);
            return;
        }
        response.Header.Set("Content-Type", "text/html; charset=utf-8");
        using var page = new MemoryStream(Go.Blocking(() => DirectoryListing.Make(directory, options)), writable: false);
        await ContentResponses.ServeAsync(response, request, "", directory.Modified, new ContentSource(page), options);
    }

    private async ValueTask ServeFileAsync(ResponseWriter response, Request request, string name, bool inRoot, FoundFile file)
    {
        if (options.CacheControl is { } cacheControl)
            response.Header.Set("Cache-Control", cacheControl);
        if (!options.ServePrecompressed || !inRoot)
        {
            await SendAsync(response, request, name, file, null);
            return;
        }
        VaryField.AddAcceptEncoding(response.Header);
        FoundFile? compressed = null;
        string? coding = null;
        var accepted = new AcceptEncoding(request.Header);
        Go.Blocking(() => (coding, compressed) = FindCompressed(name, accepted));
        if (compressed is null)
        {
            await SendAsync(response, request, name, file, null);
            return;
        }
        using FoundFile sent = compressed;
        if (!response.Header.Contains("Content-Type")) // by what is in it, not by what it is packed in
            response.Header.Add("Content-Type", options.TypeOf(name) ?? await new ContentSource(file.Handle, file.Length).SniffAsync());
        response.Header.Set("Content-Encoding", coding!);
        await SendAsync(response, request, name, sent, coding);
    }

    private (string? Coding, FoundFile? File) FindCompressed(string name, AcceptEncoding accepted)
    {
        string[] left = s_codings;
        while (accepted.Choose(left) is { } coding)
        {
            if (_root.Open(name + (coding == "br" ? ".br" : ".gz"), out FoundFile? found) == 0)
            {
                if (!found!.IsDirectory)
                    return (coding, found);
                found.Dispose();
            }
            left = [.. left.Where(other => other != coding)];
        }
        return (null, null);
    }

    // Strong: a file that changes has another time, to 100 ns, or another length.
    private ValueTask SendAsync(ResponseWriter response, Request request, string name, FoundFile file, string? coding)
    {
        if (!response.Header.Contains("ETag"))
        {
            response.Header.Add("ETag", string.Create(
                CultureInfo.InvariantCulture, $"\"{file.Modified.UtcTicks:x}-{file.Length:x}{(coding is null ? "" : "-")}{coding}\""));
        }
        return ContentResponses.ServeAsync(response, request, name, file.Modified, new ContentSource(file.Handle, file.Length), options);
    }
}
