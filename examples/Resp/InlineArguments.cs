namespace Resp;

/// <summary>Splits a line as Redis does: at blanks, with "..." in which \n, \r, \t, \b, \a, \xHH and \ before any other byte are escapes, and '...' in
/// which only \' is one. A quote ends an argument: a blank or the line's end must follow.</summary>
internal static class InlineArguments
{
    /// <param name="line">Without its end. Arguments are unescaped in place.</param>
    /// <param name="add">Called with start and length of each argument in the line.</param>
    /// <returns>False when a quote is not closed, or something follows it.</returns>
    public static bool TrySplit(Span<byte> line, Action<int, int> add)
    {
        int at = 0;
        while (true)
        {
            while (at < line.Length && IsBlank(line[at]))
                at++;
            if (at == line.Length)
                return true;
            int start = at;
            int end = at; // of what has been unescaped: never ahead of at
            while (at < line.Length && !IsBlank(line[at]))
            {
                if (line[at] is not ((byte)'"' or (byte)'\''))
                    line[end++] = line[at++];
                else if (!TryUnquote(line, ref at, ref end))
                    return false;
            }
            add(start, end - start);
        }
    }

    private static bool TryUnquote(Span<byte> line, ref int at, ref int end)
    {
        byte quote = line[at++];
        while (at < line.Length)
        {
            byte b = line[at++];
            if (b == quote)
                return at == line.Length || IsBlank(line[at]);
            if (b == '\\' && at < line.Length)
            {
                if (quote == '"')
                    b = Unescape(line, ref at);
                else if (line[at] == '\'')
                    b = line[at++];
            }
            line[end++] = b;
        }
        return false;
    }

    private static byte Unescape(Span<byte> line, ref int at)
    {
        byte b = line[at++];
        if (b == 'x' && at + 2 <= line.Length && char.IsAsciiHexDigit((char)line[at]) && char.IsAsciiHexDigit((char)line[at + 1]))
        {
            int value = (HexDigit(line[at]) << 4) | HexDigit(line[at + 1]);
            at += 2;
            return (byte)value;
        }
        return b switch
        {
            (byte)'n' => (byte)'\n',
            (byte)'r' => (byte)'\r',
            (byte)'t' => (byte)'\t',
            (byte)'b' => (byte)'\b',
            (byte)'a' => (byte)'\a',
            _ => b,
        };
    }

    private static int HexDigit(byte b) => char.IsAsciiDigit((char)b) ? b - '0' : (b | 0x20) - 'a' + 10;

    private static bool IsBlank(byte b) => b is (byte)' ' or (>= 9 and <= 13);
}
