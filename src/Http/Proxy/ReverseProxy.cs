using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NetGo.Netpoll;

namespace NetGo.Http;

/// <summary>Passes requests on to other servers, and their responses back; Go's httputil.ReverseProxy. Content goes through piece by piece, as it
/// comes, both ways; a request to switch protocols (WebSocket) becomes a tunnel when the backend agrees. What concerns one connection only
/// (RFC 9110, section 7.6.1) and what frames messages is never copied: each side has its own.
/// <para>What HttpClient cannot do: trailer fields of requests and informational responses of the backend (103) are not passed
/// on, and the response begins when the backend has taken the content. CONNECT is answered with 501, OPTIONS * by the proxy itself.</para>
/// <para>Set its properties before it serves. It may serve many requests at a time.</para></summary>
public sealed class ReverseProxy : IHandler, IDisposable
{
    private static readonly TimeSpan s_longest = TimeSpan.FromMilliseconds(uint.MaxValue - 1); // of .NET's timers

    private readonly CancellationTokenSource _disposed = new();
    private HttpMessageInvoker? _invoker;
    private TimeSpan _responseTimeout = TimeSpan.FromSeconds(100);
    private string? _viaName = "netgo";

    /// <summary>Makes one.</summary>
    /// <param name="rewrite">See <see cref="Rewrite"/>.</param>
    public ReverseProxy(Action<ProxyRequest> rewrite)
    {
        ArgumentNullException.ThrowIfNull(rewrite);
        Rewrite = rewrite;
    }

    /// <summary>Makes of a request that came the one that is sent, above all by <see cref="ProxyRequest.SetUrl"/>; Go's Rewrite. When it throws the
    /// answer is 500. Whatever fields it adds are sent, hop-by-hop ones too.</summary>
    public Action<ProxyRequest> Rewrite { get; }

    /// <summary>Called with each response before it is passed on, also with one that switches protocols; Go's ModifyResponse. What it makes of
    /// status, fields and content is what the client gets. When it throws it is <see cref="ErrorHandler"/>'s turn.</summary>
    public Func<HttpResponseMessage, ValueTask>? ModifyResponse { get; set; }

    /// <summary>Answers when the backend could not be reached or its response cannot be passed on, instead of 502, or of 504 when the exception is a
    /// <see cref="TimeoutException"/>; Go's ErrorHandler.</summary>
    public Func<ResponseWriter, Request, Exception, ValueTask>? ErrorHandler { get; set; }

    /// <summary>Sends the requests; Go's Transport. Null, the default, for the proxy's own <see cref="NewTransport"/>, which can also half-close the
    /// backend's connection when protocols are switched. One that is set stays the caller's to dispose of; it must not follow redirects,
    /// keep cookies or decompress.</summary>
    public HttpMessageHandler? Transport { get; set; }

    /// <summary>How long the backend may take to begin its response once it has been sent the request, and to take a piece of content; beyond it
    /// the answer is 504. 100 s by default; <see cref="Timeout.InfiniteTimeSpan"/> for no limit. Once it has begun, a response may take as long
    /// as it likes: only the client's going ends it, or that of the backend's machine (TCP's keep-alive).</summary>
    /// <exception cref="ArgumentOutOfRangeException">Neither positive nor infinite, or more than 49 days.</exception>
    public TimeSpan ResponseTimeout
    {
        get => _responseTimeout;
        set
        {
            if (value != Timeout.InfiniteTimeSpan)
            {
                ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
                ArgumentOutOfRangeException.ThrowIfGreaterThan(value, s_longest);
            }
            _responseTimeout = value;
        }
    }

    /// <summary>The proxy's name in the Via field of the requests that it sends, which RFC 9110, section 7.6.3, demands. "netgo" by default; null for
    /// no such field, as in Go: there are servers that do not compress for who sends one.</summary>
    /// <exception cref="ArgumentException">It is no token.</exception>
    public string? ViaName
    {
        get => _viaName;
        set
        {
            if (value is not null && !HttpSyntax.IsToken(value))
                throw new ArgumentException($"\"{value}\" cannot stand in Via: it must be a token.", nameof(value));
            _viaName = value;
        }
    }

    /// <summary>Where it is logged that a backend failed. Nowhere by default.</summary>
    public ILogger Logger { get; set; } = NullLogger.Instance;

    /// <summary>A proxy to one backend: the request's path goes behind that of the URL, the client's Host is kept, and X-Forwarded-For, -Host and
    /// -Proto are set, without what the client has sent in them. What Go's NewSingleHostReverseProxy is for.</summary>
    /// <param name="target">An absolute URL of http or https.</param>
    /// <exception cref="ArgumentException">It is not.</exception>
    public static ReverseProxy To(Uri target)
    {
        ProxyRequest.ThrowUnlessHttp(target);
        return new ReverseProxy(request =>
        {
            request.SetUrl(target);
            request.Out.Host = request.In.Host;
            request.SetXForwarded();
        });
    }

    /// <summary>What sends the requests unless <see cref="Transport"/> is set, to be changed and set there: HttpClient's own handler, but without
    /// redirects, cookies, decompression, a proxy from the environment and tracing fields, which are all the client's business; over connections
    /// of the scheduler whose goroutine asks. Connecting, TLS included, may take 30 s; idle connections are kept for 90 s, all of them for
    /// 10 minutes at most, after which names are looked up again; the head of a response has at most 32 KiB.</summary>
    /// <param name="dialer">What connects; null for one with Go's defaults.</param>
    public static SocketsHttpHandler NewTransport(NetDialer? dialer = null) => ProxyTransport.Make(dialer, null);

    /// <inheritdoc/>
    public ValueTask ServeHttpAsync(ResponseWriter response, Request request)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(request);
        ObjectDisposedException.ThrowIf(_disposed.IsCancellationRequested, this);
        return request.RawPath switch
        {
            [] => response.ErrorAsync(501), // CONNECT: the path of nothing else is empty
            [(byte)'*'] => default,         // OPTIONS about the server as a whole, which is this one; as Go's net/http
            _ when ProxyTransport.ChangesMethod(request.Method) => response.ErrorAsync(501),
            _ => ForwardAsync(response, request),
        };
    }

    /// <summary>Ends the tunnels, and closes the proxy's own connections. Requests that are under way fail.</summary>
    public void Dispose()
    {
        _disposed.Cancel();
        if (Transport is null)
            Volatile.Read(ref _invoker)?.Dispose();
    }

    private async ValueTask ForwardAsync(ResponseWriter response, Request request)
    {
        var outgoing = new OutgoingRequest(request);
        Rewrite(new ProxyRequest(request, outgoing));
        if (_viaName is not null)
            outgoing.Header.Add("Via", $"{(request.IsHttp10 ? "1.0" : "1.1")} {_viaName}");
        using var exchange = new ProxyExchange(this, response, request);
        await exchange.RunAsync(outgoing);
    }

    internal CancellationToken Disposed => _disposed.Token;

    internal HttpMessageInvoker Invoker
    {
        get
        {
            if (Volatile.Read(ref _invoker) is { } invoker)
                return invoker;
            invoker = new HttpMessageInvoker(Transport ?? NewTransport(), disposeHandler: Transport is null);
            if (Interlocked.CompareExchange(ref _invoker, invoker, null) is not { } first)
                return invoker;
            invoker.Dispose();
            return first;
        }
    }
}
