using System.Security.Cryptography;
using System.Text;

namespace NetGo.Http;

public static partial class Middleware
{
    /// <summary>Asks for a name and a password (RFC 7617); without right ones the answer is 401 with WWW-Authenticate. Over TLS only: they
    /// are sent as they are.</summary>
    /// <param name="handler">Who answers the others. It may ask for the name with <see cref="Request.BasicAuth"/>.</param>
    /// <param name="realm">What a browser shows, and for what it sends the same ones again.</param>
    /// <param name="verify">Says whether they are right: name, password, request. Compare in constant time, and passwords by a slow hash.</param>
    /// <exception cref="ArgumentException">The realm cannot stand in a field.</exception>
    public static IHandler WithBasicAuth(this IHandler handler, string realm, Func<string, string, Request, ValueTask<bool>> verify)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(verify);
        string challenge = $"Basic realm={Quote(realm)}, charset=\"UTF-8\"";
        return new HandlerFunc(async (response, request) =>
        {
            if (request.BasicAuth() is { } given && await verify(given.UserName, given.Password, request))
                await handler.ServeHttpAsync(response, request);
            else
                await ChallengeAsync(response, challenge);
        });
    }

    /// <summary>As <see cref="WithBasicAuth(IHandler, string, Func{string, string, Request, ValueTask{bool}})"/>, with one name and one password,
    /// which are compared in constant time.</summary>
    /// <param name="handler">Who answers the others.</param>
    /// <param name="realm">What a browser shows, and for what it sends the same ones again.</param>
    /// <param name="userName">The name, without a colon.</param>
    /// <param name="password">The password.</param>
    /// <exception cref="ArgumentException">The realm cannot stand in a field, or the name has a colon.</exception>
    public static IHandler WithBasicAuth(this IHandler handler, string realm, string userName, string password)
    {
        ArgumentException.ThrowIfNullOrEmpty(userName);
        ArgumentException.ThrowIfNullOrEmpty(password);
        if (userName.Contains(':', StringComparison.Ordinal))
            throw new ArgumentException("A name with a colon could not be told from the password.", nameof(userName));
        byte[] expectedName = Digest(userName);
        byte[] expectedPassword = Digest(password);
        return handler.WithBasicAuth(realm, (name, given, _) => new ValueTask<bool>(
            CryptographicOperations.FixedTimeEquals(Digest(name), expectedName) & // both, always
            CryptographicOperations.FixedTimeEquals(Digest(given), expectedPassword)));
    }

    /// <summary>Asks for a token (RFC 6750); without a right one the answer is 401 with WWW-Authenticate. Over TLS only.</summary>
    /// <param name="handler">Who answers the others. It may ask for the token with <see cref="Request.BearerToken"/>.</param>
    /// <param name="realm">What the token is for.</param>
    /// <param name="verify">Says whether it is right: token, request. Compare in constant time.</param>
    /// <exception cref="ArgumentException">The realm cannot stand in a field.</exception>
    public static IHandler WithBearerAuth(this IHandler handler, string realm, Func<string, Request, ValueTask<bool>> verify)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(verify);
        string challenge = $"Bearer realm={Quote(realm)}";
        string invalid = challenge + ", error=\"invalid_token\""; // not for a request without one: RFC 6750, section 3.1
        return new HandlerFunc(async (response, request) =>
        {
            string? token = request.BearerToken();
            if (token is not null && await verify(token, request))
                await handler.ServeHttpAsync(response, request);
            else
                await ChallengeAsync(response, token is null ? challenge : invalid);
        });
    }

    /// <summary>As <see cref="WithBearerAuth(IHandler, string, Func{string, Request, ValueTask{bool}})"/>, with one token, which is compared in
    /// constant time.</summary>
    /// <param name="handler">Who answers the others.</param>
    /// <param name="realm">What the token is for.</param>
    /// <param name="token">The token.</param>
    /// <exception cref="ArgumentException">The realm cannot stand in a field.</exception>
    public static IHandler WithBearerAuth(this IHandler handler, string realm, string token)
    {
        ArgumentException.ThrowIfNullOrEmpty(token);
        byte[] expected = Digest(token);
        return handler.WithBearerAuth(
            realm, (given, _) => new ValueTask<bool>(CryptographicOperations.FixedTimeEquals(Digest(given), expected)));
    }

    // Of one length, whatever was given: a comparison of the texts would tell theirs.
    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    // quoted-string (RFC 9110, section 5.6.4).
    private static string Quote(string realm)
    {
        ArgumentNullException.ThrowIfNull(realm);
        if (!HttpSyntax.IsFieldValue(realm))
            throw new ArgumentException($"The realm \"{realm}\" holds a control character or one beyond Latin-1.", nameof(realm));
        return $"\"{realm.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }

    private static ValueTask ChallengeAsync(ResponseWriter response, string challenge)
    {
        response.Header.Set("WWW-Authenticate", challenge);
        return response.ErrorAsync(401);
    }
}
