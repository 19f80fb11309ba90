using System.Buffers.Text;
using System.Text;

namespace Resp;

/// <summary>Arguments as what they stand for.</summary>
internal static class ArgumentReading
{
    /// <summary>A 64-bit integer as Redis reads it: digits and '-' only, no blanks, no leading zero.</summary>
    public static bool TryReadInteger(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        if (text.IsEmpty || text.Length > 20 || text[0] == '+' || !Utf8Parser.TryParse(text, out value, out int used) || used != text.Length)
            return false;
        Span<byte> canonical = stackalloc byte[20];
        return Utf8Formatter.TryFormat(value, canonical, out int length) && text.SequenceEqual(canonical[..length]);
    }

    /// <exception cref="RespCommandException">It is none.</exception>
    public static long ReadInteger(ReadOnlySpan<byte> text) =>
        TryReadInteger(text, out long value) ? value : throw RespCommandException.NotAnInteger();

    public static bool Is(ReadOnlySpan<byte> argument, ReadOnlySpan<byte> word) => Ascii.EqualsIgnoreCase(argument, word);
}
