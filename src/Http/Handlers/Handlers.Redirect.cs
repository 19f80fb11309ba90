namespace NetGo.Http;

public static partial class Handlers
{
    /// <summary>Answers every request with a redirect: see <see cref="ResponseWriterExtensions.RedirectAsync"/>. Go's http.RedirectHandler.</summary>
    /// <param name="url">Where to, absolute or relative to the path of the request.</param>
    /// <param name="statusCode">300 to 399, or 201 (Created). 302 (Found) by default; 307 and 308 keep the method.</param>
    /// <exception cref="ArgumentOutOfRangeException">No such status code.</exception>
    public static IHandler Redirect(string url, int statusCode = 302)
    {
        ArgumentNullException.ThrowIfNull(url);
        CheckRedirectStatus(statusCode);
        return new HandlerFunc((response, request) => response.RedirectAsync(request, url, statusCode));
    }

    internal static void CheckRedirectStatus(int statusCode)
    {
        if (statusCode is (< 300 or > 399) and not 201)
            throw new ArgumentOutOfRangeException(nameof(statusCode), statusCode, "The status of a redirect is from 300 to 399, or 201.");
    }
}
