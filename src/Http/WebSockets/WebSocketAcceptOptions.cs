namespace NetGo.Http;

/// <summary>How <see cref="WebSocketUpgrade.AcceptWebSocketAsync"/> accepts. Not to be changed once it is in use.</summary>
public sealed class WebSocketAcceptOptions
{
    /// <summary>The subprotocols that the server speaks, the preferred ones first; case-sensitive. The first that the client
    /// offers is chosen; when it offers none of them, none is, and the client decides whether it goes on (RFC 6455, section
    /// 4.2.2).</summary>
    public IList<string> Subprotocols { get; } = [];

    /// <summary>The origins whose pages may connect besides those of the host that is asked for, such as "https://example.org";
    /// "*" for all. Empty by default: a browser sends the user's cookies along, whichever page it is that connects, so that a
    /// foreign one would act in his name (RFC 6455, section 10.2). Clients that send no Origin are no browsers, and are
    /// accepted.</summary>
    public ISet<string> AllowedOrigins { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>How long the connection may be still before a ping is sent. 30 s by default, which is below the usual time-outs
    /// of what lies between; <see cref="Timeout.InfiniteTimeSpan"/> for no pings.</summary>
    public TimeSpan KeepAliveInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a pong may take before the connection is aborted. 20 s by default; with
    /// <see cref="Timeout.InfiniteTimeSpan"/>, unsolicited pongs are sent in place of pings, and a client that has vanished is
    /// noticed when a write fails.</summary>
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Whether messages are compressed when the client offers it (permessage-deflate, RFC 7692). False by default: a
    /// connection then holds some 300 KiB for its two windows, what is sent may be guessed at by its length (CRIME, BREACH), and
    /// a received frame may become a thousand times as long.</summary>
    public bool Compression { get; set; }
}
