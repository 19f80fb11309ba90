using System.Net;
using System.Text;

namespace NetGo.Http;

/// <summary>A request as a handler sees it; Go's http.Request. It is a view of bytes that are used again after the handler
/// has ended, so neither it nor what it returns by reference may be kept; strings may. Not thread-safe.</summary>
public sealed partial class Request
{
    private static readonly string[] s_methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"];

    private readonly Http1Exchange _exchange;
    private NetBuffer? _raw;
    private (int Start, int Length) _method;
    private (int Start, int Length) _target;
    private (int Start, int Length) _path;
    private (int Start, int Length) _query;
    private (int Start, int Length) _host;
    private string? _targetText;
    private string? _pathText;
    private string? _queryText;
    private string? _hostText;
    private PathMatch? _pathMatch;

    internal Request(Http1Exchange exchange)
    {
        _exchange = exchange;
        RequestBody = new RequestBody(exchange);
        Body = RequestBody;
    }

    /// <summary>The method, as it was sent: methods are case-sensitive.</summary>
    public string Method
    {
        get
        {
            ReadOnlySpan<byte> method = RawMethod;
            foreach (string known in s_methods)
            {
                if (Ascii.Equals(method, known))
                    return known;
            }
            return Encoding.ASCII.GetString(method);
        }
    }

    /// <summary>The request target as it was sent (RFC 9112, section 3.2).</summary>
    public string Target => _targetText ??= Encoding.ASCII.GetString(Slice(_target));

    /// <summary>The target's path with its escapes decoded, as UTF-8. "*" for OPTIONS *, "" for CONNECT. Escapes that are
    /// malformed stay as they are.</summary>
    public string Path => _pathText ??= PercentEncoding.DecodeToString(RawPath);

    /// <summary>The target's query without its question mark, as it was sent; "" when there is none.</summary>
    public string Query => _queryText ??= Encoding.ASCII.GetString(RawQuery);

    /// <summary>The host that is asked for, with its port if one was sent: of the target if it has one, else of the Host field.
    /// "" when neither is there (HTTP/1.0).</summary>
    public string Host => _hostText ??= Encoding.ASCII.GetString(RawHost);

    /// <summary>"HTTP/1.1" or "HTTP/1.0".</summary>
    public string Protocol => IsHttp10 ? "HTTP/1.0" : "HTTP/1.1";

    /// <summary>The fields.</summary>
    public HeaderFields Header { get; } = new();

    /// <summary>The length of the content in bytes; 0 when there is none, -1 when it is not known (chunked).</summary>
    public long ContentLength { get; internal set; }

    /// <summary>The content. Reading it may throw <see cref="BadRequestException"/>, <see cref="TimeoutException"/> or
    /// <see cref="IOException"/>. What a handler does not read the server discards. Middleware may put its own in its place.</summary>
    public Stream Body { get; set; }

    /// <summary>The fields that follow the content when it is chunked (RFC 9110, section 6.5): there when <see cref="Body"/> has been read to its
    /// end. They are apart from <see cref="Header"/>, and what decides about the message must not be looked for here.</summary>
    public HeaderFields Trailer { get; } = new();

    /// <summary>Whether the connection ends after this request, by the client's wish or by its version.</summary>
    public bool Close { get; internal set; }

    /// <summary>The client's address.</summary>
    public EndPoint RemoteEndPoint => _exchange.Transport.RemoteEndPoint;

    /// <summary>The server's address that the client connected to.</summary>
    public EndPoint LocalEndPoint => _exchange.Transport.LocalEndPoint;

    /// <summary>What a wildcard of the <see cref="ServeMux"/> pattern matched, decoded; "" when there is no such wildcard. Go's
    /// PathValue.</summary>
    /// <param name="name">The wildcard's name, without braces.</param>
    public string PathValue(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _pathMatch is { } match && match.TryGetValue(name, RoutedPath, out string value) ? value : OuterPathValue(name);
    }

    /// <summary>The pattern of the <see cref="ServeMux"/> that matched, or "".</summary>
    public string Pattern => MatchedPattern?.ToString() ?? "";

    // ---- For the server ----

    internal Pattern? MatchedPattern => _pathMatch?.Pattern ?? OuterPattern;

    internal PathMatch PathMatch => _pathMatch ??= new PathMatch();

    internal ReadOnlySpan<byte> RawMethod => Slice(_method);

    // RFC 9110, 4.2.3: an absolute target without a path is one with the path "/". So is what a prefix leaves that is the whole path.
    internal ReadOnlySpan<byte> RawPath => _path.Length == 0 && (IsAbsolute || _strippedCount > 0) ? "/"u8 : Slice(_path);

    // What patterns are matched with: CONNECT has no path.
    internal ReadOnlySpan<byte> RoutedPath => RawPath.IsEmpty ? "/"u8 : RawPath;

    internal ReadOnlySpan<byte> RawQuery => _otherQuery ?? (_query.Length < 0 ? default : Slice(_query));

    internal bool HasQuery => _query.Length >= 0;

    internal ReadOnlySpan<byte> RawHost => Slice(_host);

    internal bool IsHttp10 { get; private set; }

    internal bool IsAbsolute { get; set; }

    internal bool IsHead => RawMethod.SequenceEqual("HEAD"u8);

    internal bool IsConnect => RawMethod.SequenceEqual("CONNECT"u8);

    internal bool ExpectsContinue { get; set; }

    internal bool KeepAliveAsked { get; set; }

    internal RequestBody RequestBody { get; }

    private ReadOnlySpan<byte> Slice((int Start, int Length) range) => range.Length <= 0 ? default : _raw!.Span.Slice(range.Start, range.Length);

    /// <summary>The buffer that all positions refer to.</summary>
    internal void SetRaw(NetBuffer? raw)
    {
        if (raw is null)
            ReleaseMultipart(); // the exchange is over, and may lie unused for long
        _raw = raw;
        Header.SetRaw(raw);
    }

    internal void Reset()
    {
        Header.Clear();
        Trailer.Clear();
        Body = RequestBody;
        _context = null;
        ResetFields();
        ResetContent();
        ReleaseMultipart();
        _method = _target = _path = _host = default;
        _query = (0, -1);
        _targetText = _pathText = _queryText = _hostText = null;
        _pathMatch?.Reset();
        ContentLength = 0;
        Close = false;
        IsHttp10 = false;
        IsAbsolute = false;
        ExpectsContinue = false;
        KeepAliveAsked = false;
    }

    internal void SetRequestLine(int methodStart, int methodLength, int targetStart, int targetLength, bool isHttp10)
    {
        _method = (methodStart, methodLength);
        _target = (targetStart, targetLength);
        IsHttp10 = isHttp10;
    }

    internal void SetHost(int start, int length) => _host = (start, length);

    internal void SetPath(int start, int length, int queryLength)
    {
        _path = (start, length);
        _query = (start + length + 1, queryLength);
    }
}
