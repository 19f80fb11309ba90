using System.Globalization;
using System.Net;
using System.Text;

namespace NetGo.Http;

public static partial class ResponseWriterExtensions
{
    /// <summary>Answers with a status and a line of text; Go's http.Error. What was said about the content that the answer would have had does
    /// not hold for this one: those fields are taken away.</summary>
    /// <param name="response">The response, before its head is written.</param>
    /// <param name="statusCode">200 to 999.</param>
    /// <param name="text">A line feed is added. Null for the status with its reason phrase. It is sent as plain text: it needs no escaping.</param>
    /// <param name="cancellationToken">Ends the wait for a slow client. The connection cannot be used after that.</param>
    /// <exception cref="IOException">The connection failed.</exception>
    public static ValueTask ErrorAsync(
        this ResponseWriter response, int statusCode, string? text = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(response);
        HeaderFields header = response.Header;
        header.Remove("Cache-Control");
        header.Remove("Content-Encoding");
        header.Remove("ETag");
        header.Remove("Last-Modified");
        header.Set("Content-Type", "text/plain; charset=utf-8");
        header.Set("X-Content-Type-Options", "nosniff");
        text = text is null ? $"{statusCode} {StatusText.Of(statusCode)}\n" : text + "\n";
        // Known at once, so that the answer is whole when it is flushed, whenever the handler ends.
        header.Set("Content-Length", Encoding.UTF8.GetByteCount(text).ToString(CultureInfo.InvariantCulture));
        response.WriteHeader(statusCode);
        return response.WriteAsync(text, cancellationToken);
    }

    /// <summary>Answers with a redirect; Go's http.Redirect. A path that is not absolute is taken relative to that of the request, as the client
    /// knows it, without <see cref="Handlers.StripPrefix"/>; dot segments and double slashes are taken out of a path. What may not stand in a
    /// URL, and a backslash, which browsers take for a slash, is escaped. The answer to GET has a short HTML content, unless Content-Type is
    /// set. Where the URL comes from the client, check it: one that begins with a scheme or with two slashes leads to another host.</summary>
    /// <param name="response">The response, before its head is written.</param>
    /// <param name="request">What was asked.</param>
    /// <param name="url">Where to, absolute or relative. Escapes in it stay as they are.</param>
    /// <param name="statusCode">300 to 399, or 201 (Created). 302 (Found) by default; 307 and 308 keep the method.</param>
    /// <exception cref="ArgumentOutOfRangeException">No such status code.</exception>
    /// <exception cref="IOException">The connection failed.</exception>
    public static ValueTask RedirectAsync(this ResponseWriter response, Request request, string url, int statusCode = 302)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(url);
        Handlers.CheckRedirectStatus(statusCode);
        string location = Escape(HasHost(url) ? url : MakeAbsolute(request, url));
        bool hadType = response.Header.Contains("Content-Type");
        response.Header.Set("Location", location);
        bool isGet = request.RawMethod.SequenceEqual("GET"u8);
        if (!hadType && (isGet || request.IsHead))
            response.Header.Set("Content-Type", "text/html; charset=utf-8");
        response.WriteHeader(statusCode);
        return isGet && !hadType && statusCode != 304
            ? response.WriteAsync($"<a href=\"{WebUtility.HtmlEncode(location)}\">{StatusText.Of(statusCode)}</a>.\n")
            : default;
    }

    // Whether it begins with a scheme (RFC 3986, section 3.1) or is a network-path reference.
    private static bool HasHost(string url)
    {
        if (url.StartsWith("//", StringComparison.Ordinal))
            return true;
        int end = url.AsSpan().IndexOfAny(":/?#");
        return end >= 0 && url[end] == ':';
    }

    private static string MakeAbsolute(Request request, string url)
    {
        if (!url.StartsWith('/'))
        {
            string path = Encoding.ASCII.GetString(request.UnstrippedRawPath);
            url = string.Concat(path.AsSpan(0, path.LastIndexOf('/') + 1), url);
        }
        int end = url.AsSpan().IndexOfAny("?#");
        if (end < 0)
            end = url.Length;
        // Backslashes are escaped before: "/\host" would lead to another host.
        return Encoding.ASCII.GetString(RequestPath.Clean(Encoding.ASCII.GetBytes(Escape(url[..end])))) + url[end..];
    }

    private static string Escape(string url)
    {
        var escaped = new StringBuilder(url.Length);
        foreach (byte value in Encoding.UTF8.GetBytes(url))
        {
            if (value is > 0x20 and < 0x7f && !"\"<>\\^`{|}"u8.Contains(value))
                escaped.Append((char)value);
            else
                escaped.Append('%').Append(value.ToString("X2", null));
        }
        return escaped.ToString();
    }
}
