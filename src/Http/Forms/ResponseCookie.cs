using System.Globalization;
using System.Text;

namespace NetGo.Http;

/// <summary>A cookie to be set at the client (RFC 6265, section 4.1); Go's http.Cookie. Send it with
/// <see cref="ResponseWriterExtensions.SetCookie"/>.</summary>
/// <param name="name">A token.</param>
/// <param name="value">Printable ASCII without quotes, semicolons and backslashes.</param>
public sealed class ResponseCookie(string name, string value)
{
    /// <summary>The name.</summary>
    public string Name { get; } = name;

    /// <summary>The value. One with spaces or commas is sent in quotes, as in Go.</summary>
    public string Value { get; } = value;

    /// <summary>The path under which the client sends it back; null for the directory of the request's.</summary>
    public string? Path { get; init; }

    /// <summary>The domain with whose hosts the client shares it; null for the host of the request only.</summary>
    public string? Domain { get; init; }

    /// <summary>When it ends; null with the client's session. <see cref="MaxAge"/> goes before it.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>How long it lives, in whole seconds; zero or less removes it at once.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>It is sent over TLS only.</summary>
    public bool Secure { get; init; }

    /// <summary>It is kept from scripts.</summary>
    public bool HttpOnly { get; init; }

    /// <summary>Whether it is sent with requests that other sites cause; null to leave it to the client.</summary>
    public CookieSameSite? SameSite { get; init; }

    /// <summary>It is kept apart for each site that embeds this one (CHIPS). Needs <see cref="Secure"/>.</summary>
    public bool Partitioned { get; init; }

    /// <summary>The value of the Set-Cookie field.</summary>
    /// <exception cref="FormatException">A part holds what none may hold, or the browser would refuse the cookie.</exception>
    public string ToFieldValue()
    {
        Check();
        var text = new StringBuilder(Name).Append('=');
        bool quoted = Value.AsSpan().ContainsAny(' ', ',');
        text.Append(quoted ? "\"" : "").Append(Value).Append(quoted ? "\"" : "");
        if (Path is not null)
            text.Append("; Path=").Append(Path);
        if (Domain is not null)
            text.Append("; Domain=").Append(Domain.AsSpan().TrimStart('.')); // RFC 6265, 5.2.3: the dot means nothing
        if (Expires is { } expires)
            text.Append("; Expires=").Append(expires.ToString("r", CultureInfo.InvariantCulture));
        if (MaxAge is { } maxAge)
            text.Append("; Max-Age=").Append(Math.Max(0, (long)maxAge.TotalSeconds));
        if (HttpOnly)
            text.Append("; HttpOnly");
        if (Secure)
            text.Append("; Secure");
        if (SameSite is { } sameSite)
            text.Append("; SameSite=").Append(sameSite switch { CookieSameSite.None => "None", CookieSameSite.Lax => "Lax", _ => "Strict" });
        if (Partitioned)
            text.Append("; Partitioned");
        return text.ToString();
    }

    internal static bool IsValue(ReadOnlySpan<char> value) => IsPrintable(value) && !value.ContainsAny('"', ';', '\\');

    private static bool IsPrintable(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange(' ', '~');

    private void Check()
    {
        Require(HttpSyntax.IsToken(Name), "its name must be a token (letters, digits and !#$%&'*+-.^_`|~)");
        Require(IsValue(Value), "its value must be printable ASCII without quotes, semicolons and backslashes: encode it");
        Require(Path is null || (IsPrintable(Path) && !Path.Contains(';', StringComparison.Ordinal)), "its path holds a semicolon or is not printable ASCII");
        Require(Domain is null || IsDomain(Domain.AsSpan().TrimStart('.')), "its domain is no host name");
        Require(Expires is null or { Year: >= 1601 }, "it expires before 1601, which RFC 6265 forbids");
        Require(Secure || SameSite != CookieSameSite.None, "SameSite=None needs Secure");
        Require(Secure || !Partitioned, "Partitioned needs Secure");
        Require(Secure || !Name.StartsWith("__Secure-", StringComparison.OrdinalIgnoreCase), "the prefix __Secure- needs Secure");
        Require(!Name.StartsWith("__Host-", StringComparison.OrdinalIgnoreCase) || (Secure && Path == "/" && Domain is null),
            "the prefix __Host- needs Secure, the path / and no domain");
    }

    private static bool IsDomain(ReadOnlySpan<char> domain)
    {
        foreach (char c in domain)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.'))
                return false;
        }
        return !domain.IsEmpty && domain.Length <= 253;
    }

    private static void Require(bool condition, string reason)
    {
        if (!condition)
            throw new FormatException($"The cookie cannot be set: {reason}.");
    }
}
