using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace NetGo.Fuzz;

/// <summary>Reads what the server sent as a strict client would.</summary>
internal static partial class AnswerReader
{
    /// <summary>The status codes of the answers.</summary>
    /// <param name="text">All that was sent, Latin-1, without interim answers.</param>
    /// <param name="aborted">Whether the last one may be cut off.</param>
    /// <exception cref="InvalidOperationException">It is no sequence of answers.</exception>
    public static List<int> ReadStatuses(string text, bool aborted)
    {
        List<int> statuses = [];
        for (int at = 0; at < text.Length;)
        {
            int headEnd = text.IndexOf("\r\n\r\n", at, StringComparison.Ordinal);
            Match line = StatusLine().Match(text, at);
            if (headEnd < 0 || !line.Success || line.Index != at)
            {
                if (aborted)
                    break;
                throw new InvalidOperationException($"No answer begins at {at}: {text}");
            }
            statuses.Add(int.Parse(line.Groups[1].Value, CultureInfo.InvariantCulture));
            string head = text[at..(headEnd + 2)];
            at = headEnd + 4;
            if (LengthField().Match(head) is { Success: true } length)
            {
                int n = int.Parse(length.Groups[1].Value, CultureInfo.InvariantCulture);
                bool whole = at + n <= text.Length;
                // Without content, as to HEAD, which is not known here, the next answer follows the head at once, or nothing.
                if (n > 0 && (at == text.Length || (StatusLine().Match(text, at) is { Success: true } next && next.Index == at)))
                    continue;
                if (!whole && !aborted)
                    throw new InvalidOperationException($"The last answer is cut off: {text}");
                at = Math.Min(text.Length, at + n);
            }
            else if (head.Contains("\r\nTransfer-Encoding: chunked\r\n", StringComparison.Ordinal))
            {
                int end = text.IndexOf("0\r\n\r\n", at, StringComparison.Ordinal);
                at = end < 0 ? text.Length : end + 5;
            }
        }
        return statuses;
    }

    public static string WithoutDates(string answers)
    {
        var text = new StringBuilder(answers.Length);
        foreach (string line in answers.Split("\r\n"))
        {
            if (!line.StartsWith("Date: ", StringComparison.Ordinal))
                text.Append(line).Append("\r\n");
        }
        return text.ToString();
    }

    [GeneratedRegex("HTTP/1\\.1 ([2-5][0-9]{2}) [ -~]*\r\n")]
    private static partial Regex StatusLine();

    [GeneratedRegex("\r\nContent-Length: ([0-9]+)\r\n")]
    private static partial Regex LengthField();
}
