using System.Globalization;
using System.Text;

namespace NetGo.Http;

/// <summary>What a client sent as it may stand in a log: it can end neither the line nor a quoted text, and can tell a terminal nothing.</summary>
internal static class LogText
{
    private const int MaxLength = 1024;

    /// <summary>Escapes quotes, backslashes and all that is not printable ASCII as \xHH, like Apache's httpd, and cuts off what is too long.</summary>
    /// <param name="text">Null and "" become "-".</param>
    public static string Of(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return "-";
        bool cut = text.Length > MaxLength;
        ReadOnlySpan<char> kept = cut ? text.AsSpan(0, MaxLength) : text;
        int plain = 0;
        while (plain < kept.Length && IsPlain(kept[plain]))
            plain++;
        if (plain == kept.Length)
            return cut ? $"{kept}..." : text;
        var escaped = new StringBuilder(kept.Length + 16);
        foreach (char c in kept)
        {
            if (IsPlain(c))
                escaped.Append(c);
            else
                escaped.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}");
        }
        return cut ? escaped.Append("...").ToString() : escaped.ToString();
    }

    private static bool IsPlain(char c) => c is >= ' ' and <= '~' and not ('"' or '\\');
}
