using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace NetGo.Http;

/// <summary>Answers with contents and files: with preconditions (RFC 9110, section 13) and ranges (section 14).</summary>
public static class ContentResponses
{
    /// <summary>Answers with a content, or the part of it that the request asks for; Go's http.ServeContent. Content-Type is what the handler
    /// has set, else what the name's extension says, else what the first 512 bytes look like. ETag is what the handler has set. Range is
    /// ignored for any method but GET, as RFC 9110, section 14.2, demands; and if it is malformed.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="request">What was asked.</param>
    /// <param name="name">A file name, for its extension.</param>
    /// <param name="modified">For Last-Modified; null when it is not known.</param>
    /// <param name="content">It must be one that can be sought in. It stays the caller's.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">The stream cannot be sought in.</exception>
    /// <exception cref="EndOfStreamException">The content has become shorter. The connection breaks when some of it has left.</exception>
    /// <exception cref="IOException">The connection failed.</exception>
    public static ValueTask ServeContentAsync(
        this ResponseWriter response, Request request, string name, DateTimeOffset? modified, Stream content, ServeContentOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(content);
        return ServeAsync(response, request, name, modified, new ContentSource(content), options ?? ServeContentOptions.Default);
    }

    /// <param name="response">The answer.</param>
    /// <param name="request">What was asked.</param>
    /// <param name="name">A file name, for its extension.</param>
    /// <param name="modified">For Last-Modified; null when it is not known.</param>
    /// <param name="file">A regular file that is open for reading. It stays the caller's.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <inheritdoc cref="ServeContentAsync(ResponseWriter, Request, string, DateTimeOffset?, Stream, ServeContentOptions?)"/>
    public static ValueTask ServeContentAsync(
        this ResponseWriter response, Request request, string name, DateTimeOffset? modified, SafeFileHandle file, ServeContentOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        return ServeAsync(response, request, name, modified, new ContentSource(file, RandomAccess.GetLength(file)), options ?? ServeContentOptions.Default);
    }

    /// <summary>Answers with a file, or with the index of a directory; Go's http.ServeFile. The path is the program's choice and may be a link
    /// to anywhere: a program that makes it of what the client sends wants <see cref="Handlers.FileServer"/>. A request whose own path has
    /// ".." is refused with 400 all the same, as in Go.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="request">What was asked.</param>
    /// <param name="path">Of a file or directory.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <inheritdoc cref="ServeContentAsync(ResponseWriter, Request, string, DateTimeOffset?, Stream, ServeContentOptions?)" path="/exception"/>
    public static ValueTask ServeFileAsync(this ResponseWriter response, Request request, string path, FileServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new FileServer(path, options ?? new FileServerOptions()).ServeRootAsync(response, request);
    }

    internal static async ValueTask ServeAsync(
        ResponseWriter response, Request request, string name, DateTimeOffset? modified, ContentSource content, ServeContentOptions options)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(name);
        HeaderFields header = response.Header;
        if (modified is { } time)
        {
            if (time > DateField.Time)
                modified = time = DateField.Time; // RFC 9110, 8.8.2.1: never later than Date
            header.Set("Last-Modified", HttpDate.Format(time));
        }
        string? tag = header.Get("ETag");
        switch (Preconditions.Evaluate(request, tag, modified))
        {
            case PreconditionOutcome.NotModified:
                SendNotModified(response, tag);
                return;
            case PreconditionOutcome.Failed:
                await response.ErrorAsync(412);
                return;
        }
        if (!header.Contains("Content-Type"))
            header.Add("Content-Type", options.TypeOf(name) ?? await content.SniffAsync());
        if (options.NoSniff)
            header.Set("X-Content-Type-Options", "nosniff");
        header.Set("Accept-Ranges", "bytes");
        string? field = Preconditions.RangeOf(request, tag, modified);
        switch (ByteRange.Parse(field, content.Length, options.MaxRanges, out List<ByteRange> ranges))
        {
            case ByteRange.Outcome.Unsatisfiable:
                header.Set("Content-Range", string.Create(CultureInfo.InvariantCulture, $"bytes */{content.Length}"));
                await response.ErrorAsync(416);
                return;
            case ByteRange.Outcome.Partial when ranges.Count > 1:
                await SendPartsAsync(response, request, content, ranges);
                return;
            case ByteRange.Outcome.Partial:
                header.Set("Content-Range", ranges[0].Describe(content.Length));
                await SendAsync(response, request, 206, content, ranges[0]);
                return;
            default:
                await SendAsync(response, request, 200, content, new ByteRange(0, content.Length));
                return;
        }
    }

    // RFC 9110, section 15.4.5: what a cache needs, and nothing about a content that is not sent. The date adds nothing to a tag.
    internal static void SendNotModified(ResponseWriter response, string? tag)
    {
        response.Header.Remove("Content-Type");
        response.Header.Remove("Content-Length");
        response.Header.Remove("Content-Encoding");
        if (tag is not null)
            response.Header.Remove("Last-Modified");
        response.WriteHeader(304);
    }

    private static async ValueTask SendAsync(ResponseWriter response, Request request, int status, ContentSource content, ByteRange range)
    {
        response.Header.Set("Content-Length", range.Length.ToString(CultureInfo.InvariantCulture));
        response.WriteHeader(status);
        if (!request.IsHead && range.Length > 0)
            await content.SendAsync(response, request, range);
    }

    // multipart/byteranges (RFC 9110, section 14.6). Its length is known before the first byte is sent.
    private static async ValueTask SendPartsAsync(ResponseWriter response, Request request, ContentSource content, List<ByteRange> ranges)
    {
        string type = response.Header.Get("Content-Type")!;
        string boundary = RandomNumberGenerator.GetHexString(32, lowercase: true);
        byte[][] heads = new byte[ranges.Count][];
        byte[] end = Encoding.ASCII.GetBytes($"\r\n--{boundary}--\r\n");
        long length = end.Length;
        for (int i = 0; i < heads.Length; i++)
        {
            string head = $"{(i == 0 ? "" : "\r\n")}--{boundary}\r\nContent-Type: {type}\r\nContent-Range: {ranges[i].Describe(content.Length)}\r\n\r\n";
            heads[i] = Encoding.Latin1.GetBytes(head);
            length += heads[i].Length + ranges[i].Length;
        }
        response.Header.Set("Content-Type", $"multipart/byteranges; boundary={boundary}");
        response.Header.Set("Content-Length", length.ToString(CultureInfo.InvariantCulture));
        response.WriteHeader(206);
        for (int i = 0; i < heads.Length; i++)
        {
            await response.WriteAsync(heads[i]);
            await content.SendAsync(response, request, ranges[i]);
        }
        await response.WriteAsync(end);
    }
}
