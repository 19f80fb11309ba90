using System.Text;

namespace NetGo.Http;

// Reads the head of a request (RFC 9112, sections 2 to 6) where it lies in the input buffer, a line at a time. A line that
// has not come whole is looked at again only from where the last look ended, so a head costs time linear in its length
// however it is cut up.
//
// Strict: whatever two readers could understand differently is refused. Lines end with CRLF, names are followed by their
// colon at once, there is no folding, one Host, one Content-Length of digits only, and Transfer-Encoding only as "chunked"
// and never together with Content-Length.
internal sealed class RequestParser
{
    private const int MaxEmptyLinesBefore = 4;
    private const int MaxContentLengthDigits = 18;

    private HttpLimits _limits = null!;
    private int _line;      // where the line that is being read begins
    private int _scanned;   // up to where it has been searched for its end
    private int _start;     // where the head begins
    private bool _hasRequestLine;
    private int _hostStart;
    private bool _hasContentLength;
    private bool _hasTransferEncoding;
    private bool _absoluteTarget;

    public enum Outcome
    {
        NeedMore,
        Complete,
        Refused,
    }

    /// <summary>The status to refuse the request with.</summary>
    public int RefusalStatus { get; private set; }

    /// <summary>Why, for the body of the refusal.</summary>
    public string RefusalReason { get; private set; } = "";

    /// <summary>Where the head begins, past empty lines.</summary>
    public int Start => _start;

    /// <summary>Whether a part of a request has been seen.</summary>
    public bool InRequest => _hasRequestLine || _scanned > _start;

    /// <summary>How many there have been before the request. They are not part of one, so the connection remembers them while it waits for more.</summary>
    public int EmptyLines { get; set; }

    /// <summary>Gets ready for a request that begins at <paramref name="start"/>.</summary>
    public void Begin(int start, HttpLimits limits)
    {
        _limits = limits;
        _start = _line = _scanned = start;
        EmptyLines = 0;
        _hasRequestLine = false;
        _hasContentLength = false;
        _hasTransferEncoding = false;
        _absoluteTarget = false;
        _hostStart = -1;
    }

    /// <summary>Reads on.</summary>
    /// <param name="input">The whole buffer's filled part: positions are kept as offsets in it.</param>
    /// <param name="request">Takes what is read.</param>
    /// <param name="end">Where the head ends, on <see cref="Outcome.Complete"/>.</param>
    public Outcome Parse(ReadOnlySpan<byte> input, Request request, out int end)
    {
        while (true)
        {
            end = _line;
            int found = input[_scanned..].IndexOf((byte)'\n');
            if (found < 0)
            {
                _scanned = input.Length;
                return CheckSize(input.Length - _start, unfinished: true);
            }
            int lineEnd = _scanned + found;
            if (CheckSize(lineEnd + 1 - _start, unfinished: false) == Outcome.Refused)
                return Outcome.Refused;
            if (lineEnd == _line || input[lineEnd - 1] != '\r')
                return Refuse(400, "a line does not end with CRLF");
            ReadOnlySpan<byte> line = input[_line..(lineEnd - 1)];
            int lineStart = _line;
            _line = _scanned = lineEnd + 1;

            if (line.IsEmpty)
            {
                if (_hasRequestLine)
                {
                    end = _line;
                    return Finish(input, request);
                }
                // RFC 9112, 2.2: a robust server ignores empty lines before a request, as old clients send after a body.
                if (++EmptyLines > MaxEmptyLinesBefore)
                    return Refuse(400, "too many empty lines before the request");
                _start = _line;
                continue;
            }
            Outcome outcome = _hasRequestLine ? ParseField(line, lineStart, request) : ParseRequestLine(line, lineStart, request);
            if (outcome == Outcome.Refused)
                return Outcome.Refused;
        }
    }

    // The size from the start of the head, with the CRLF of the last line; of an unfinished line the LF is to come at least.
    private Outcome CheckSize(int size, bool unfinished)
    {
        if (unfinished)
            size++;
        if (!_hasRequestLine && size - 2 > _limits.MaxRequestLineSize)
            return Refuse(414, $"the request line is longer than {_limits.MaxRequestLineSize} bytes");
        if (size > _limits.MaxHeaderBytes)
            return Refuse(431, $"the request's head is longer than {_limits.MaxHeaderBytes} bytes");
        return Outcome.NeedMore;
    }

    private Outcome Refuse(int status, string reason)
    {
        RefusalStatus = status;
        RefusalReason = reason;
        return Outcome.Refused;
    }

    // ---- Request line: method SP target SP version ----

    private Outcome ParseRequestLine(ReadOnlySpan<byte> line, int start, Request request)
    {
        _hasRequestLine = true;
        int methodEnd = line.IndexOf((byte)' ');
        int targetEnd = line.LastIndexOf((byte)' ');
        if (methodEnd <= 0 || targetEnd == methodEnd)
            return Refuse(400, "the request line is not \"method target version\"");
        ReadOnlySpan<byte> method = line[..methodEnd];
        ReadOnlySpan<byte> target = line[(methodEnd + 1)..targetEnd];
        ReadOnlySpan<byte> version = line[(targetEnd + 1)..];
        if (!HttpSyntax.IsToken(method))
            return Refuse(400, "the method is no token");
        if (!HttpSyntax.IsTarget(target))
            return Refuse(400, "the request target is empty or holds whitespace, controls or bytes beyond ASCII");
        if (version.Length != 8 || !version.StartsWith("HTTP/"u8) || !char.IsAsciiDigit((char)version[5]) || version[6] != '.' || !char.IsAsciiDigit((char)version[7]))
            return Refuse(400, "the version is not HTTP/1.1");
        if (version[5] != '1')
            return Refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
        request.SetRequestLine(start, methodEnd, start + methodEnd + 1, target.Length, isHttp10: version[7] == '0');

        int pathStart = 0;
        if (method.SequenceEqual("CONNECT"u8))
        {
            if (!HttpSyntax.IsHostAndPort(target))
                return Refuse(400, "CONNECT wants host:port");
            _absoluteTarget = true;
            request.SetHost(start + methodEnd + 1, target.Length);
            pathStart = target.Length;
        }
        else if (target.SequenceEqual("*"u8))
        {
            if (!method.SequenceEqual("OPTIONS"u8))
                return Refuse(400, "the target * is for OPTIONS only");
        }
        else if (target[0] != '/')
        {
            int scheme = target.IndexOf("://"u8);
            if (scheme <= 0 || !(Ascii.EqualsIgnoreCase(target[..scheme], "http"u8) || Ascii.EqualsIgnoreCase(target[..scheme], "https"u8)))
                return Refuse(400, "the request target is no path and no absolute URI");
            ReadOnlySpan<byte> rest = target[(scheme + 3)..];
            int authorityLength = rest.IndexOfAny((byte)'/', (byte)'?');
            if (authorityLength < 0)
                authorityLength = rest.Length;
            if (authorityLength == 0 || rest[0] == ':' || !HttpSyntax.IsHost(rest[..authorityLength]))
                return Refuse(400, "the request target's host is not valid");
            if (scheme == 5 && request.Tls is null) // RFC 9110, 7.4. A gateway that ends TLS asks in origin form
                return Refuse(421, "an https resource is served over TLS only");
            pathStart = scheme + 3 + authorityLength;
            _absoluteTarget = true;
            request.SetHost(start + methodEnd + 1 + scheme + 3, authorityLength);
            request.IsAbsolute = true;
        }
        ReadOnlySpan<byte> path = target[pathStart..];
        if (path.Contains((byte)'#'))
            return Refuse(400, "the request target has a fragment");
        int query = path.IndexOf((byte)'?');
        request.SetPath(start + methodEnd + 1 + pathStart, query < 0 ? path.Length : query, query < 0 ? -1 : path.Length - query - 1);
        return Outcome.NeedMore;
    }

    // ---- Field lines ----

    private Outcome ParseField(ReadOnlySpan<byte> line, int start, Request request)
    {
        if (line[0] is (byte)' ' or (byte)'\t')
            return Refuse(400, "a field is folded over lines");
        int colon = line.IndexOf((byte)':');
        if (colon <= 0 || !HttpSyntax.IsToken(line[..colon]))
            return Refuse(400, "a field name is not followed by a colon, or is no token");
        ReadOnlySpan<byte> name = line[..colon];
        ReadOnlySpan<byte> value = HttpSyntax.TrimWhitespace(line[(colon + 1)..]);
        if (!HttpSyntax.IsFieldValue(value))
            return Refuse(400, "a field value holds a control character");
        if (request.Header.Count >= _limits.MaxHeaderCount)
            return Refuse(431, $"more than {_limits.MaxHeaderCount} fields");
        int valueStart = start + colon + 1 + LeadingWhitespace(line[(colon + 1)..]);
        request.Header.AddRaw(start, name.Length, valueStart, value.Length);

        switch (name.Length)
        {
            case 4 when Ascii.EqualsIgnoreCase(name, "host"u8):
                return ParseHost(value, valueStart, request);
            case 6 when Ascii.EqualsIgnoreCase(name, "expect"u8):
                return ParseExpect(value, request);
            case 10 when Ascii.EqualsIgnoreCase(name, "connection"u8):
                return ParseConnection(value, request);
            case 14 when Ascii.EqualsIgnoreCase(name, "content-length"u8):
                return ParseContentLength(value, request);
            case 17 when Ascii.EqualsIgnoreCase(name, "transfer-encoding"u8):
                return ParseTransferEncoding(value, request);
            default:
                return Outcome.NeedMore;
        }
    }

    private static int LeadingWhitespace(ReadOnlySpan<byte> text)
    {
        int i = 0;
        while (i < text.Length && text[i] is (byte)' ' or (byte)'\t')
            i++;
        return i;
    }

    private Outcome ParseHost(ReadOnlySpan<byte> value, int start, Request request)
    {
        if (_hostStart >= 0)
            return Refuse(400, "several Host fields");
        if (!HttpSyntax.IsHost(value))
            return Refuse(400, "the Host field is not valid");
        _hostStart = start;
        if (!_absoluteTarget) // RFC 9112, 3.2.2: the target's host goes before the field
            request.SetHost(start, value.Length);
        return Outcome.NeedMore;
    }

    private Outcome ParseExpect(ReadOnlySpan<byte> value, Request request)
    {
        foreach (Range range in value.Split((byte)','))
        {
            ReadOnlySpan<byte> expectation = HttpSyntax.TrimWhitespace(value[range]);
            if (expectation.IsEmpty)
                continue; // RFC 9110, 5.6.1.2
            if (!Ascii.EqualsIgnoreCase(expectation, "100-continue"u8))
                return Refuse(417, "the only expectation that can be met is 100-continue");
            request.ExpectsContinue = true;
        }
        return Outcome.NeedMore;
    }

    private static Outcome ParseConnection(ReadOnlySpan<byte> value, Request request)
    {
        foreach (Range range in value.Split((byte)','))
        {
            ReadOnlySpan<byte> option = HttpSyntax.TrimWhitespace(value[range]);
            if (Ascii.EqualsIgnoreCase(option, "close"u8))
                request.Close = true;
            else if (Ascii.EqualsIgnoreCase(option, "keep-alive"u8))
                request.KeepAliveAsked = true;
        }
        return Outcome.NeedMore;
    }

    private Outcome ParseContentLength(ReadOnlySpan<byte> value, Request request)
    {
        if (_hasContentLength)
            return Refuse(400, "several Content-Length fields");
        _hasContentLength = true;
        if (value.IsEmpty || value.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return Refuse(400, "Content-Length is not a number");
        value = value.TrimStart((byte)'0');
        if (value.Length > MaxContentLengthDigits)
            return Refuse(413, "Content-Length is too large");
        long length = 0;
        foreach (byte digit in value)
            length = length * 10 + (digit - '0');
        request.ContentLength = length;
        return Outcome.NeedMore;
    }

    private Outcome ParseTransferEncoding(ReadOnlySpan<byte> value, Request request)
    {
        if (_hasTransferEncoding)
            return Refuse(400, "several Transfer-Encoding fields");
        _hasTransferEncoding = true;
        if (Ascii.EqualsIgnoreCase(value, "chunked"u8))
            return Outcome.NeedMore;
        ReadOnlySpan<byte> last = value.TrimEnd(" \t,"u8);
        last = HttpSyntax.TrimWhitespace(last[(last.LastIndexOf((byte)',') + 1)..]);
        return Ascii.EqualsIgnoreCase(last, "chunked"u8) // RFC 9112, 6.3 and 6.1
            ? Refuse(501, "the only transfer coding understood is chunked")
            : Refuse(400, "the last transfer coding is not chunked");
    }

    // ---- What only the whole head can tell ----

    private Outcome Finish(ReadOnlySpan<byte> input, Request request)
    {
        if (_hostStart < 0 && !request.IsHttp10)
            return Refuse(400, "HTTP/1.1 requires a Host field");
        if (_hasTransferEncoding)
        {
            if (_hasContentLength)
                return Refuse(400, "both Content-Length and Transfer-Encoding");
            if (request.IsHttp10)
                return Refuse(400, "Transfer-Encoding in HTTP/1.0");
            request.ContentLength = -1;
        }
        if (request.ContentLength > _limits.MaxRequestBodySize)
            return Refuse(413, $"the content is longer than {_limits.MaxRequestBodySize} bytes");
        if (request.IsHttp10 && !request.KeepAliveAsked)
            request.Close = true;
        if (request.ExpectsContinue && (request.IsHttp10 || request.ContentLength == 0))
            request.ExpectsContinue = false; // RFC 9110, 10.1.1
        return Outcome.Complete;
    }
}
