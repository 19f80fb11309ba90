namespace NetGo.Http;

/// <summary>chunk-ext = *( BWS ";" BWS name [ BWS "=" BWS value ] ), where a value is a token or a quoted string (RFC 9112, section 7.1.1). Nobody
/// uses them; so who sends something else there may want it to be read in two ways.</summary>
internal static class ChunkExtensions
{
    public static bool AreValid(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            text = text.TrimStart(" \t"u8);
            if (text.IsEmpty || text[0] != ';')
                return false;
            text = text[1..].TrimStart(" \t"u8);
            if (!TryTakeToken(ref text))
                return false;
            ReadOnlySpan<byte> value = text.TrimStart(" \t"u8);
            if (value.IsEmpty || value[0] != '=')
                continue;
            text = value[1..].TrimStart(" \t"u8);
            if (!TryTakeToken(ref text) && !TryTakeQuoted(ref text))
                return false;
        }
        return true;
    }

    private static bool TryTakeToken(ref ReadOnlySpan<byte> text)
    {
        int length = HttpSyntax.TokenLength(text);
        text = text[length..];
        return length > 0;
    }

    // RFC 9110, section 5.6.4.
    private static bool TryTakeQuoted(ref ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || text[0] != '"')
            return false;
        for (int i = 1; i < text.Length; i++)
        {
            if (text[i] == '"')
            {
                text = text[(i + 1)..];
                return true;
            }
            if (text[i] == '\\')
                i++;
            if (i == text.Length || !HttpSyntax.IsFieldValue(text.Slice(i, 1)))
                return false;
        }
        return false;
    }
}
