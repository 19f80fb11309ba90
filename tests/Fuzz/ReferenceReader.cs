using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace NetGo.Fuzz;

/// <summary>A second reader of requests, as plain as can be, written from RFC 9110 and 9112 with the server's stated choices: what both
/// do not understand in the same way, two servers in a row might not either. It knows no limits but those on digits and lines of chunks.</summary>
internal static partial class ReferenceReader
{
    private const string Token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
    private const string HostPattern = "(?:\\[(?=[^\\]]*:)[0-9A-Fa-f:.]+\\]|[0-9A-Za-z\\-._~%!$&'()*+,;=]*)(?::[0-9]{0,5})?";
    private const int MaxEmptyLines = 4;
    private const int MaxChunkLine = 4096; // up to its LF

    private static readonly HashSet<string> s_notInTrailer = new(
        ("age authorization cache-control connection content-encoding content-length content-range content-type cookie date expect expires host if-match " +
        "if-modified-since if-none-match if-range if-unmodified-since keep-alive location max-forwards pragma proxy-authenticate proxy-authorization " +
        "proxy-connection range retry-after set-cookie te trailer transfer-encoding upgrade vary warning www-authenticate").Split(' '),
        StringComparer.OrdinalIgnoreCase);

    public static Understood Read(byte[] input)
    {
        string text = Encoding.Latin1.GetString(input);
        List<string> requests = [];
        int at = 0;
        while (true)
        {
            int empty = 0;
            while (string.CompareOrdinal(text, at, "\r\n", 0, 2) == 0)
            {
                at += 2;
                if (++empty > MaxEmptyLines)
                    return new(requests, Ending.Refused);
            }
            if (at == text.Length)
                return new(requests, Ending.Clean);
            int headEnd = text.IndexOf("\r\n\r\n", at, StringComparison.Ordinal);
            if (headEnd < 0)
                return new(requests, Ending.Cut);
            if (ReadHead(text[at..headEnd].Split("\r\n")) is not { } head)
                return new(requests, Ending.Refused);
            at = headEnd + 4;
            string line = $"{head.Method} {head.Target} {head.Host}";
            string? content = head.Chunked ? ReadChunks(text, ref at) : at + head.Length <= text.Length ? text.Substring(at, (int)head.Length) : null;
            if (content is null)
            {
                requests.Add(line + HttpTarget.Broken);
                return new(requests, Ending.Refused);
            }
            if (!head.Chunked)
                at += (int)head.Length;
            requests.Add($"{line} {content.Length} {Convert.ToHexString(Encoding.Latin1.GetBytes(content))}");
            if (head.Close)
                return new(requests, Ending.Clean);
        }
    }

    private sealed record Head(string Method, string Target, string Host, bool Chunked, long Length, bool Close);

    private static Head? ReadHead(string[] lines)
    {
        Match request = RequestLine().Match(lines[0]);
        if (!request.Success || request.Groups[3].Value != "1")
            return null;
        string method = request.Groups[1].Value;
        string target = request.Groups[2].Value;
        bool is10 = request.Groups[4].Value == "0";
        if (HostOfTarget(method, target) is not { } authority)
            return null;
        string? host = null;
        string? length = null;
        string? coding = null;
        bool close = false;
        bool keepAlive = false;
        foreach (string line in lines[1..])
        {
            Match field = FieldLine().Match(line);
            if (!field.Success)
                return null;
            string value = field.Groups[2].Value.Trim(' ', '\t');
            switch (field.Groups[1].Value.ToLowerInvariant())
            {
                case "host":
                    if (host is not null || !HostField().IsMatch(value))
                        return null;
                    host = value;
                    break;
                case "content-length":
                    if (length is not null || !value.All(char.IsAsciiDigit) || value.Length == 0)
                        return null;
                    length = value;
                    break;
                case "transfer-encoding":
                    if (coding is not null || !value.Equals("chunked", StringComparison.OrdinalIgnoreCase))
                        return null;
                    coding = value;
                    break;
                case "connection":
                    string[] options = Members(value); // not Split's own trimming, which knows whitespace beyond ASCII
                    close |= options.Contains("close", StringComparer.OrdinalIgnoreCase);
                    keepAlive |= options.Contains("keep-alive", StringComparer.OrdinalIgnoreCase);
                    break;
                case "expect":
                    if (Members(value).Any(e => e.Length > 0 && !e.Equals("100-continue", StringComparison.OrdinalIgnoreCase)))
                        return null;
                    break;
            }
        }
        if ((host is null && !is10) || (coding is not null && (length is not null || is10)))
            return null;
        string number = (length ?? "0").TrimStart('0');
        if (number.Length > 9 || long.Parse("0" + number, CultureInfo.InvariantCulture) > 30_000_000)
            return null;
        return new(
            method, target, authority.Length > 0 ? authority : host ?? "", coding is not null, long.Parse("0" + number, CultureInfo.InvariantCulture),
            close || (is10 && !keepAlive) || method == "CONNECT");
    }

    private static string[] Members(string list) => [.. list.Split(',').Select(member => member.Trim(' ', '\t'))];

    // "" when it has none, null when it is none.
    private static string? HostOfTarget(string method, string target)
    {
        if (method == "CONNECT")
        {
            Match connect = ConnectTarget().Match(target);
            return connect.Success && int.Parse(connect.Groups[1].Value, CultureInfo.InvariantCulture) is > 0 and < 65536 ? target : null;
        }
        if (target == "*")
            return method == "OPTIONS" ? "" : null;
        if (target.Contains('#', StringComparison.Ordinal))
            return null;
        if (target[0] == '/')
            return "";
        Match absolute = AbsoluteTarget().Match(target);
        // https over a connection without TLS is misdirected.
        return absolute.Success && absolute.Groups[1].Value.Equals("http", StringComparison.OrdinalIgnoreCase) ? absolute.Groups[2].Value : null;
    }

    private static string? ReadChunks(string text, ref int at)
    {
        var content = new StringBuilder();
        while (true)
        {
            if (NextLine(text, ref at) is not { } line || ChunkLine().Match(line) is not { Success: true } size)
                return null;
            long n = long.Parse(size.Groups[1].Value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (n == 0)
                break;
            if (n > text.Length - at)
                return null;
            content.Append(text, at, (int)n);
            at += (int)n;
            if (NextLine(text, ref at) is not "")
                return null;
        }
        while (NextLine(text, ref at) is { } trailer)
        {
            if (trailer.Length == 0)
                return content.ToString();
            if (FieldLine().Match(trailer) is not { Success: true } field || s_notInTrailer.Contains(field.Groups[1].Value))
                return null;
        }
        return null;
    }

    private static string? NextLine(string text, ref int at)
    {
        int end = text.IndexOf('\n', at);
        if (end <= at || end - at > MaxChunkLine || text[end - 1] != '\r')
            return null;
        string line = text[at..(end - 1)];
        at = end + 1;
        return line;
    }

    [GeneratedRegex($"^({Token}) ([!-~]+) HTTP/([0-9])\\.([0-9])\\z")]
    private static partial Regex RequestLine();

    [GeneratedRegex($"^({Token}):([\\t -~\\x80-\\xff]*)\\z")]
    private static partial Regex FieldLine();

    [GeneratedRegex($"^{HostPattern}\\z")]
    private static partial Regex HostField();

    [GeneratedRegex("^(?:\\[(?=[^\\]]*:)[0-9A-Fa-f:.]+\\]|[0-9A-Za-z\\-._~%!$&'()*+,;=]+):([0-9]{1,5})\\z")]
    private static partial Regex ConnectTarget();

    [GeneratedRegex($"^(https?)://(?=[^/?:])({HostPattern})(?:[/?].*)?\\z", RegexOptions.IgnoreCase)]
    private static partial Regex AbsoluteTarget();

    private const string Quoted = "\"(?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\[\\t -~\\x80-\\xff])*\"";

    [GeneratedRegex($"^([0-9A-Fa-f]{{1,15}})(?:[ \\t]*;[ \\t]*{Token}(?:[ \\t]*=[ \\t]*(?:{Token}|{Quoted}))?)*\\z")]
    private static partial Regex ChunkLine();
}
