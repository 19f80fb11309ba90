using System.Buffers;
using System.Text;

namespace NetGo.Http;

/// <summary>Reads one pattern. Every refusal names the offset in the text, in characters, and what to write instead.</summary>
internal ref struct PatternParser(string text)
{
    // RFC 9110, section 5.6.2: tchar.
    private static readonly SearchValues<char> s_tokenChars = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly SearchValues<char> s_hostChars = SearchValues.Create(
        "!$%&'()*+,-.:;=[]_~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private readonly List<PatternSegment> _segments = [];
    private int _position;

    public Pattern Parse()
    {
        string method = ParseMethod();
        string host = ParseHost();
        ParsePath(method);
        return new Pattern(text, method, host, [.. _segments]);
    }

    private string ParseMethod()
    {
        int end = text.AsSpan().IndexOfAny(' ', '\t');
        if (end < 0)
            return "";
        ReadOnlySpan<char> method = text.AsSpan(0, end);
        if (method.IndexOfAnyExcept(s_tokenChars) is var bad and >= 0)
            throw Error(bad, $"'{text[bad]}' cannot be in a method; write [METHOD ][HOST]/[PATH], and a blank in a path as %20");
        _position = end;
        while (_position < text.Length && text[_position] is ' ' or '\t')
            _position++;
        return method.ToString();
    }

    private string ParseHost()
    {
        int start = _position;
        int slash = text.IndexOf('/', start);
        if (slash < 0)
            throw Error(text.Length, "there is no path; a pattern has at least a \"/\", as in \"/index.html\" or \"example.com/\"");
        ReadOnlySpan<char> host = text.AsSpan(start, slash - start);
        _position = slash;
        if (host.IndexOfAnyExcept(s_hostChars) is var bad and >= 0)
        {
            throw Error(start + bad, host[bad] switch
            {
                '{' or '}' => "a host has no wildcards; begin the path with \"/\"",
                ' ' or '\t' => "a host has no blanks; one method, one blank, then the host or the path",
                > '\x7f' => "write the host in ASCII, an international name in its xn-- form",
                _ => $"'{host[bad]}' cannot be in a host",
            });
        }

        if (host.Length > HostName.MaxLength)
            throw Error(start, $"a host has at most {HostName.MaxLength} characters");
        bool bracketed = host.Length > 0 && host[0] == '[' && host.IndexOf(']') == host.Length - 1;
        if (!bracketed && host.IndexOf(':') is var colon and >= 0)
        {
            throw Error(start + colon,
                "a host is compared without its port, so leave the port out; write an IPv6 address in brackets");
        }

        return host.ToString().ToLowerInvariant();
    }

    private void ParsePath(string method)
    {
        // Paths are cleaned before they are matched, those of CONNECT excepted.
        byte[] path = Encoding.UTF8.GetBytes(text[_position..]);
        if (method is not ("" or "CONNECT") && !RequestPath.IsClean(path))
        {
            throw Error(_position,
                $"paths are cleaned before they are matched, so this one never is; write {Encoding.UTF8.GetString(RequestPath.Clean(path))}");
        }

        while (_position < text.Length)
        {
            int start = ++_position;
            if (start == text.Length)
            {
                Add(SegmentKind.Rest);
                return;
            }

            int slash = text.IndexOf('/', start);
            _position = slash < 0 ? text.Length : slash;
            ParseSegment(start, text.AsSpan(start, _position - start));
        }
    }

    private readonly void ParseSegment(int start, ReadOnlySpan<char> segment)
    {
        int brace = segment.IndexOf('{');
        if (brace < 0)
        {
            _segments.Add(new PatternSegment(SegmentKind.Literal, PercentEncoding.DecodeOrKeep(segment), ""));
            return;
        }

        if (brace > 0)
            throw Error(start + brace, "a wildcard is a whole segment, so put a \"/\" before '{', or write a literal brace as %7B");
        if (segment[^1] != '}')
            throw Error(start + segment.Length, "a wildcard is a whole segment and ends with '}'; write a literal brace as %7B");

        bool last = start + segment.Length == text.Length;
        ReadOnlySpan<char> name = segment[1..^1];
        if (name is "$")
        {
            if (!last)
                throw Error(start, "{$} stands only at the end of a path");
            Add(SegmentKind.TrailingSlash);
            return;
        }

        SegmentKind kind = SegmentKind.Wildcard;
        if (name.EndsWith("..."))
        {
            if (!last)
                throw Error(start, $"{segment} takes the rest of the path and stands only at its end");
            kind = SegmentKind.Rest;
            name = name[..^3];
        }

        if (name.IsEmpty)
            throw Error(start, "a wildcard needs a name, as in {id}");
        if (!IsIdentifier(name))
            throw Error(start + 1, $"\"{name}\" cannot be a wildcard's name; use letters, digits and '_', and no digit first");
        foreach (PatternSegment earlier in _segments)
        {
            if (name.SequenceEqual(earlier.Name))
                throw Error(start + 1, $"the name \"{name}\" is taken by an earlier wildcard; give this one another");
        }

        Add(kind, name.ToString());
    }

    private readonly void Add(SegmentKind kind, string name = "") => _segments.Add(new PatternSegment(kind, [], name));

    private static bool IsIdentifier(ReadOnlySpan<char> name)
    {
        bool first = true;
        foreach (Rune rune in name.EnumerateRunes())
        {
            if (!Rune.IsLetter(rune) && rune.Value != '_' && (first || !Rune.IsDigit(rune)))
                return false;
            first = false;
        }

        return true;
    }

    private readonly FormatException Error(int offset, string problem) =>
        new($"The pattern \"{text}\" is wrong at offset {offset}: {problem}.");
}
