using System.Buffers;
using System.Buffers.Text;
using System.Collections.Frozen;

namespace NetGo.Http;

/// <summary>Character classes of RFC 9110, section 5.</summary>
internal static class HttpSyntax
{
    private const string TokenCharacters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly SearchValues<byte> s_tokenBytes = SearchValues.Create(System.Text.Encoding.ASCII.GetBytes(TokenCharacters));
    private static readonly SearchValues<char> s_tokenChars = SearchValues.Create(TokenCharacters);

    // Everything below space but HTAB, and DEL: what no field value may hold.
    private static readonly SearchValues<byte> s_notInValueBytes = SearchValues.Create(NotInValue());
    private static readonly SearchValues<char> s_notInValueChars = SearchValues.Create(NotInValue().Select(b => (char)b).ToArray());

    // What a request target may not hold: controls, space, DEL and everything above ASCII.
    private static readonly SearchValues<byte> s_notInTargetBytes =
        SearchValues.Create([.. Enumerable.Range(0, 256).Where(b => b is <= 0x20 or >= 0x7f).Select(b => (byte)b)]);

    // reg-name (RFC 3986, section 3.2.2).
    private static readonly SearchValues<byte> s_hostBytes =
        SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~%!$&'()*+,;="u8);

    private static readonly SearchValues<byte> s_addressBytes = SearchValues.Create("0123456789ABCDEFabcdef:."u8);

    private static byte[] NotInValue() => [.. Enumerable.Range(0, 32).Where(b => b != '\t').Append(0x7f).Select(b => (byte)b)];

    public static bool IsToken(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExcept(s_tokenBytes);

    /// <summary>How long the token is that a text begins with.</summary>
    public static int TokenLength(ReadOnlySpan<byte> text)
    {
        int end = text.IndexOfAnyExcept(s_tokenBytes);
        return end < 0 ? text.Length : end;
    }

    public static bool IsToken(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExcept(s_tokenChars);

    public static bool IsFieldValue(ReadOnlySpan<byte> text) => !text.ContainsAny(s_notInValueBytes);

    /// <summary>What may be sent as a field value: Latin-1 without controls.</summary>
    public static bool IsFieldValue(ReadOnlySpan<char> text) => !text.ContainsAny(s_notInValueChars) && !text.ContainsAnyExceptInRange('\0', '\u00ff');

    public static bool IsTarget(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAny(s_notInTargetBytes);

    /// <summary>host [ ":" port ] without user information (RFC 9110, section 7.2). May be empty.</summary>
    public static bool IsHost(ReadOnlySpan<byte> text) => IsHost(text, out _);

    /// <summary>host ":" port, neither empty, and the port one that there is (RFC 9112, section 3.2.3; RFC 9110, section 9.3.6).</summary>
    public static bool IsHostAndPort(ReadOnlySpan<byte> text) =>
        IsHost(text, out int portLength) && portLength > 0 && text[0] != ':' && Utf8Parser.TryParse(text[^portLength..], out ushort port, out _) && port > 0;

    private static bool IsHost(ReadOnlySpan<byte> text, out int portLength)
    {
        portLength = 0;
        int hostEnd;
        if (!text.IsEmpty && text[0] == '[')
        {
            hostEnd = text.IndexOf((byte)']') + 1;
            if (hostEnd == 0 || text[1..(hostEnd - 1)].ContainsAnyExcept(s_addressBytes) || !text[1..(hostEnd - 1)].Contains((byte)':'))
                return false;
        }
        else
        {
            hostEnd = text.IndexOf((byte)':');
            if (hostEnd < 0)
                hostEnd = text.Length;
            if (text[..hostEnd].ContainsAnyExcept(s_hostBytes))
                return false;
        }
        if (hostEnd == text.Length)
            return true;
        ReadOnlySpan<byte> port = text[(hostEnd + 1)..];
        portLength = port.Length;
        return text[hostEnd] == ':' && port.Length <= 5 && !port.ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }

    // RFC 9110, section 6.5.1: fields that decide where a message ends, where it goes, who sends it and what its content is. After
    // the content they come too late for whoever reads the message once, and in time for whoever puts all fields together.
    private static readonly FrozenSet<string> s_notInTrailer = new[]
    {
        "Age", "Authorization", "Cache-Control", "Connection", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type", "Cookie",
        "Date", "Expect", "Expires", "Host", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Keep-Alive",
        "Location", "Max-Forwards", "Pragma", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Range", "Retry-After",
        "Set-Cookie", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Vary", "Warning", "WWW-Authenticate",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static bool IsForbiddenInTrailer(string name) => s_notInTrailer.Contains(name);

    public static ReadOnlySpan<byte> TrimWhitespace(ReadOnlySpan<byte> text) => text.Trim(" \t"u8);
}
