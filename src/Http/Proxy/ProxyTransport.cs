using System.Collections.Frozen;
using System.Net;
using System.Text;
using NetGo.Netpoll;

namespace NetGo.Http;

/// <summary>HttpClient's handler as a proxy needs it.</summary>
internal static class ProxyTransport
{
    private static readonly HttpRequestOptionsKey<GoScheduler> s_scheduler = new("NetGo.Scheduler");

    private static readonly FrozenSet<string> s_methods =
        new[] { "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE" }
            .ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whose connections a request wants to use: HttpClient dials on threads of its own.</summary>
    public static void SetScheduler(HttpRequestMessage message, GoScheduler scheduler) => message.Options.Set(s_scheduler, scheduler);

    /// <summary>HttpClient would send "get" as "GET": another method (RFC 9110, section 9.1), that nobody has asked for.</summary>
    public static bool ChangesMethod(string method) => s_methods.TryGetValue(method, out string? known) && method != known;

    /// <param name="dialer">What connects.</param>
    /// <param name="owner">Of the connection; null when that is HttpClient.</param>
    public static SocketsHttpHandler Make(NetDialer? dialer, OwnConnection? owner)
    {
        dialer ??= new NetDialer();
        return new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            ConnectTimeout = TimeSpan.FromSeconds(30),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(90),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            MaxResponseHeadersLength = 32,
            // Bytes as they are: by default others than ASCII ones are refused in requests, and taken for UTF-8 in Location.
            RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
            ConnectCallback = async (context, token) =>
            {
                NetConnection connection = await DialAsync(dialer, context, token).ConfigureAwait(false);
                return owner is null ? connection.AsStream() : owner.Take(connection);
            },
        };
    }

    private static Task<NetConnection> DialAsync(NetDialer dialer, SocketsHttpConnectionContext context, CancellationToken token)
    {
        EndPoint endPoint = IPAddress.TryParse(context.DnsEndPoint.Host, out IPAddress? address)
            ? new IPEndPoint(address, context.DnsEndPoint.Port)
            : context.DnsEndPoint;
        GoScheduler scheduler = context.InitialRequestMessage.Options.TryGetValue(s_scheduler, out GoScheduler? own) ? own : GoScheduler.Current;
        return scheduler.RunAsync(() => dialer.DialAsync(endPoint, token).AsTask());
    }
}
