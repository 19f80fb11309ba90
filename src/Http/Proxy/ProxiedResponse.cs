using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace NetGo.Http;

/// <summary>The head and the trailer of a backend's response on their way to the client.</summary>
internal static class ProxiedResponse
{
    /// <summary>What no client may get: no final response, one whose end could be found at two places, or one that is coded in a way that was
    /// meant for the proxy alone.</summary>
    /// <exception cref="HttpRequestException">It is such a one.</exception>
    public static void ThrowUnlessClear(HttpResponseMessage answer)
    {
        if ((int)answer.StatusCode is < 200 and not 101)
            throw Invalid($"its status is {(int)answer.StatusCode}");
        List<string> codings = HopByHop.Members(ValuesOf(answer.Headers, "Transfer-Encoding"));
        if (codings.Count > 1 || (codings is [var coding] && !coding.Equals("chunked", StringComparison.OrdinalIgnoreCase)))
            throw Invalid($"its Transfer-Encoding is \"{string.Join(", ", codings)}\"");
        List<string> lengths = HopByHop.Members(ValuesOf(answer.Content.Headers, "Content-Length"));
        if (lengths.Count > 1 || (lengths is [var length] && !long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
            throw Invalid($"its Content-Length is \"{string.Join(", ", lengths)}\"");
    }

    /// <summary>The protocol that the backend switches to; null when it does not.</summary>
    /// <exception cref="HttpRequestException">It was not asked to.</exception>
    public static string? ProtocolOf(HttpResponseMessage answer, OutgoingRequest outgoing)
    {
        if (answer.StatusCode != HttpStatusCode.SwitchingProtocols)
            return null;
        List<string> protocols = HopByHop.Members(ValuesOf(answer.Headers, "Upgrade"));
        if (protocols is [var protocol] &&
            HopByHop.Members(ValuesOf(answer.Headers, "Connection")).Contains("Upgrade", StringComparer.OrdinalIgnoreCase) &&
            HopByHop.Members(outgoing.Header.GetAll("Upgrade")).Contains(protocol, StringComparer.OrdinalIgnoreCase))
        {
            return protocol;
        }
        throw Invalid($"it switches to \"{string.Join(", ", protocols)}\", which it was not asked to");
    }

    /// <exception cref="HttpRequestException">There is one that cannot be passed on. None is then.</exception>
    public static void CopyFields(HttpResponseMessage answer, ResponseWriter response, bool isHttp10)
    {
        var fields = new HeaderFields();
        var named = new HashSet<string>(HopByHop.Members(ValuesOf(answer.Headers, "Connection")), StringComparer.OrdinalIgnoreCase);
        try
        {
            AddAll(answer.Headers, named, fields);
            AddAll(answer.Content.Headers, named, fields);
        }
        catch (ArgumentException e)
        {
            throw new HttpRequestException(HttpRequestError.InvalidResponse, "The backend's response cannot be passed on.", e);
        }
        // RFC 9112, section 6.3: chunked content has no other length.
        if (answer.Headers.TransferEncodingChunked != true && answer.Content.Headers.ContentLength is { } length)
            fields.Set("Content-Length", length.ToString(CultureInfo.InvariantCulture));
        else if (!isHttp10)
            AnnounceTrailer(answer, fields);
        foreach ((string name, string value) in fields)
            response.Header.Add(name, value);
    }

    /// <summary>After the content has been read to its end.</summary>
    public static void CopyTrailer(HttpResponseMessage answer, ResponseWriter response)
    {
        try
        {
            AddTrailer(answer, response);
        }
        catch (NotSupportedException)
        {
            // Middleware that has none. They may be thrown away (RFC 9110, section 6.5.1).
        }
    }

    private static void AddTrailer(HttpResponseMessage answer, ResponseWriter response)
    {
        foreach ((string name, HeaderStringValues values) in answer.TrailingHeaders.NonValidated)
        {
            foreach (string value in values)
            {
                if (HttpSyntax.IsFieldValue(value) && !HopByHop.Contains(name))
                    response.Trailer.Add(name, value);
            }
        }
    }

    private static void AddAll(HttpHeaders from, HashSet<string> named, HeaderFields to)
    {
        foreach ((string name, HeaderStringValues values) in from.NonValidated)
        {
            if (HopByHop.Contains(name) || HopByHop.IsFraming(name) || named.Contains(name))
                continue;
            foreach (string value in values)
                to.Add(name, value);
        }
    }

    private static void AnnounceTrailer(HttpResponseMessage answer, HeaderFields fields)
    {
        List<string> names = HopByHop.Members(ValuesOf(answer.Headers, "Trailer"));
        names.RemoveAll(static name => !HttpSyntax.IsToken(name) || HttpSyntax.IsForbiddenInTrailer(name));
        if (names.Count > 0)
            fields.Add("Trailer", string.Join(", ", names));
    }

    private static HttpRequestException Invalid(string why) =>
        new(HttpRequestError.InvalidResponse, $"The backend's response cannot be passed on: {why}.");

    private static HeaderStringValues ValuesOf(HttpHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out HeaderStringValues values) ? values : default;
}
