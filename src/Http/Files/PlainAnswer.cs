namespace NetGo.Http;

/// <summary>An answer of one line in place of a content.</summary>
internal static class PlainAnswer
{
    /// <summary>Answers with a status. What was said about the content does not hold for this answer, as in Go 1.23.</summary>
    public static ValueTask SendAsync(ResponseWriter response, int status)
    {
        HeaderFields header = response.Header;
        header.Remove("Cache-Control");
        header.Remove("Content-Encoding");
        header.Remove("Content-Length");
        header.Remove("ETag");
        header.Remove("Last-Modified");
        header.Set("Content-Type", "text/plain; charset=utf-8");
        response.WriteHeader(status);
        return response.WriteAsync($"{status} {StatusText.Of(status)}\n");
    }
}
