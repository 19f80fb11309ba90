namespace NetGo.Http;

/// <summary>What handlers often do with a response.</summary>
public static partial class ResponseWriterExtensions
{
    /// <summary>Adds a Set-Cookie field; Go's http.SetCookie, which leaves an invalid cookie out instead.</summary>
    /// <param name="response">The response, before its head is written.</param>
    /// <param name="cookie">The cookie.</param>
    /// <exception cref="FormatException">A part of it holds what none may hold, or the browser would refuse it.</exception>
    public static void SetCookie(this ResponseWriter response, ResponseCookie cookie)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(cookie);
        response.Header.Add("Set-Cookie", cookie.ToFieldValue());
    }
}
