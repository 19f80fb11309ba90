using System.Security.Cryptography;

namespace NetGo.Http;

public static partial class Middleware
{
    private const string RequestIdField = "X-Request-Id";
    private const int MaxRequestId = 128;

    /// <summary>Gives each request an id, in the field X-Request-Id of the request, for handlers and for what they call, and of the response:
    /// 128 random bits in hexadecimal digits.</summary>
    /// <param name="handler">Who answers.</param>
    /// <param name="trustsClient">Whether an id that the client sent is kept: one with up to 128 letters, digits and -._:=+/. False by default;
    /// true behind a proxy that sets it, so that all logs have the same.</param>
    public static IHandler WithRequestId(this IHandler handler, bool trustsClient = false)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return new HandlerFunc((response, request) =>
        {
            if (!trustsClient || request.Header.GetAll(RequestIdField) is not [string id] || !IsRequestId(id))
            {
                id = RandomNumberGenerator.GetHexString(32, lowercase: true);
                request.Header.Set(RequestIdField, id);
            }
            response.Header.Set(RequestIdField, id);
            return handler.ServeHttpAsync(response, request);
        });
    }

    private static bool IsRequestId(string text)
    {
        foreach (char c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && !"-._:=+/".Contains(c, StringComparison.Ordinal))
                return false;
        }
        return text.Length is > 0 and <= MaxRequestId;
    }
}
