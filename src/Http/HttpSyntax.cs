using System.Buffers;

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

    // reg-name, IP literals and a port (RFC 3986, section 3.2.2), without user information.
    private static readonly SearchValues<byte> s_hostBytes =
        SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~%!$&'()*+,;=:[]"u8);

    private static byte[] NotInValue() => [.. Enumerable.Range(0, 32).Where(b => b != '\t').Append(0x7f).Select(b => (byte)b)];

    public static bool IsToken(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExcept(s_tokenBytes);

    public static bool IsToken(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExcept(s_tokenChars);

    public static bool IsFieldValue(ReadOnlySpan<byte> text) => !text.ContainsAny(s_notInValueBytes);

    /// <summary>What may be sent as a field value: Latin-1 without controls.</summary>
    public static bool IsFieldValue(ReadOnlySpan<char> text) => !text.ContainsAny(s_notInValueChars) && !text.ContainsAnyExceptInRange('\0', '\u00ff');

    public static bool IsTarget(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAny(s_notInTargetBytes);

    public static bool IsHost(ReadOnlySpan<byte> text) => !text.ContainsAnyExcept(s_hostBytes);

    public static ReadOnlySpan<byte> TrimWhitespace(ReadOnlySpan<byte> text) => text.Trim(" \t"u8);
}
