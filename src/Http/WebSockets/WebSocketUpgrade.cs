using System.Net.WebSockets;

namespace NetGo.Http;

/// <summary>WebSockets (RFC 6455) on connections of the server.</summary>
public static class WebSocketUpgrade
{
    private static readonly WebSocketAcceptOptions s_defaults = new();

    /// <summary>Accepts a WebSocket; gorilla's Upgrader, nhooyr's Accept and ASP.NET Core's AcceptWebSocketAsync. The handshake
    /// is checked by RFC 6455, section 4.2. One that is refused has been answered (400 malformed, 403 foreign origin, 405 not
    /// GET, 426 not a WebSocket or another version than 13), and the handler just ends.
    /// <para>Text that is not UTF-8, frames without a mask and other breaches end the socket with a
    /// <see cref="WebSocketException"/>. Messages are received in pieces that fit the caller's buffer, whatever their length: who
    /// puts them together has to set a limit. The server no longer knows the connection: its time-outs and its Shutdown do not
    /// apply.</para></summary>
    /// <param name="response">Fields that are set go with the 101.</param>
    /// <param name="request">The request.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <returns>The socket, to be disposed of by the caller; it may outlive the handler. Null when the handshake was
    /// refused.</returns>
    /// <exception cref="IOException">The connection failed.</exception>
    /// <exception cref="InvalidOperationException">The response has begun.</exception>
    /// <exception cref="NotSupportedException">The writer cannot give its connection away.</exception>
    public static async ValueTask<WebSocket?> AcceptWebSocketAsync(
        this ResponseWriter response, Request request, WebSocketAcceptOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(request);
        options ??= s_defaults;
        HeaderFields header = response.Header;
        int refusal = WebSocketHandshake.Check(header, request, options);
        if (refusal != 0)
        {
            await response.ErrorAsync(refusal);
            return null;
        }
        header.Set("Sec-WebSocket-Accept", WebSocketHandshake.AcceptOf(request.Header["Sec-WebSocket-Key"]!));
        string? subprotocol = WebSocketHandshake.ChooseSubprotocol(request, options);
        header["Sec-WebSocket-Protocol"] = subprotocol;
        string extensions = "";
        WebSocketDeflateOptions? deflate = options.Compression ? DeflateOffer.Accept(request, out extensions) : null;
        header["Sec-WebSocket-Extensions"] = deflate is null ? null : extensions;
        HijackedStream stream = await response.UpgradeAsync("websocket");
        return WebSocket.CreateFromStream(stream, new WebSocketCreationOptions
        {
            IsServer = true,
            SubProtocol = subprotocol,
            KeepAliveInterval = options.KeepAliveInterval == Timeout.InfiniteTimeSpan ? TimeSpan.Zero : options.KeepAliveInterval,
            KeepAliveTimeout = options.KeepAliveTimeout,
            DangerousDeflateOptions = deflate,
        });
    }
}
