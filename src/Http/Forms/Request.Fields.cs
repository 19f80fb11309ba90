using System.Net.Http.Headers;
using System.Text;

namespace NetGo.Http;

public sealed partial class Request
{
    private NamedValues? _queryValues;
    private NamedValues? _cookies;

    /// <summary>The names and values of <see cref="Query"/>; Go's URL.Query. A pair with a malformed escape or with a semicolon is left out,
    /// as in Go. Parsed when it is first asked for.</summary>
    public NamedValues QueryValues
    {
        get
        {
            if (_queryValues is null)
            {
                _queryValues = new NamedValues();
                _queryValues.AddEncoded(RawQuery);
            }
            return _queryValues;
        }
    }

    /// <summary>The cookies that the client sent (RFC 6265, section 5.4); Go's Cookies. One whose name is no token, or whose value holds what
    /// none may hold, is left out; quotes around a value are taken off.</summary>
    public NamedValues Cookies => _cookies ??= ParseCookies();

    /// <summary>The client's name for itself, or null; Go's UserAgent.</summary>
    public string? UserAgent => Header.Get("User-Agent");

    /// <summary>The page that led here, or null; Go's Referer. The field's name is misspelled in the standard.</summary>
    public string? Referer => Header.Get("Referer");

    /// <summary>The media type of the content with its parameters; null when none was sent, or several, or a malformed one.</summary>
    public MediaTypeHeaderValue? ContentType =>
        OnlyValueOf("Content-Type") is { } value && MediaTypeHeaderValue.TryParse(value, out MediaTypeHeaderValue? type) ? type : null;

    /// <summary>The name and the password of Basic authentication (RFC 7617), as UTF-8; Go's BasicAuth. Null when there are none, when they are
    /// malformed or hold control characters, or when there are several Authorization fields. Compare them in constant time.</summary>
    public (string UserName, string Password)? BasicAuth()
    {
        if (CredentialsOf("Basic") is not { } encoded)
            return null;
        byte[] bytes = new byte[encoded.Length];
        if (encoded.AsSpan().ContainsAny(" \t") || !Convert.TryFromBase64String(encoded, bytes, out int length))
            return null;
        string text;
        try
        {
            text = s_strictUtf8.GetString(bytes, 0, length);
        }
        catch (DecoderFallbackException)
        {
            return null; // two that differ must not become the same
        }
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 || text.Any(char.IsControl) ? null : (text[..colon], text[(colon + 1)..]);
    }

    /// <summary>The token of Bearer authentication (RFC 6750, section 2.1); null when there is none, when it is malformed, or when there are
    /// several Authorization fields.</summary>
    public string? BearerToken()
    {
        if (CredentialsOf("Bearer") is not { Length: > 0 } token)
            return null;
        ReadOnlySpan<char> unpadded = token.AsSpan().TrimEnd('=');
        foreach (char c in unpadded)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or '_' or '~' or '+' or '/'))
                return null;
        }
        return unpadded.IsEmpty ? null : token;
    }

    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private string? OnlyValueOf(string name) => Header.GetAll(name) is [string value] ? value : null;

    // credentials = auth-scheme 1*SP ... (RFC 9110, section 11.4)
    private string? CredentialsOf(string scheme) =>
        OnlyValueOf("Authorization") is { } value && value.Length > scheme.Length && value[scheme.Length] == ' ' &&
        value.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)
            ? value[scheme.Length..].TrimStart(' ')
            : null;

    private NamedValues ParseCookies()
    {
        var cookies = new NamedValues();
        foreach (string line in Header.GetAll("Cookie"))
        {
            foreach (Range range in line.AsSpan().Split(';'))
            {
                ReadOnlySpan<char> pair = line.AsSpan(range).Trim(" \t");
                int equals = pair.IndexOf('=');
                ReadOnlySpan<char> name = (equals < 0 ? pair : pair[..equals]).TrimEnd(" \t");
                ReadOnlySpan<char> value = equals < 0 ? default : pair[(equals + 1)..].TrimStart(" \t");
                if (value is ['"', _, ..] && value[^1] == '"')
                    value = value[1..^1];
                if (HttpSyntax.IsToken(name) && ResponseCookie.IsValue(value))
                    cookies.Add(name.ToString(), value.ToString());
            }
        }
        return cookies;
    }

    private void ResetFields() => _queryValues = _cookies = null;
}
