using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace NetGo.Http;

/// <summary>The server's part of the opening handshake (RFC 6455, section 4.2).</summary>
internal static class WebSocketHandshake
{
    private const string Version = "13";

    /// <summary>0 when the request is a whole handshake; else the status to refuse it with, whose fields have been set.</summary>
    public static int Check(HeaderFields answer, Request request, WebSocketAcceptOptions options)
    {
        if (request.Method != "GET")
        {
            answer.Set("Allow", "GET");
            return 405;
        }
        if (!request.IsWebSocketUpgrade)
        {
            answer.Set("Upgrade", "websocket");
            answer.Set("Connection", request.Close ? "Upgrade, close" : "Upgrade");
            return 426;
        }
        if (request.Header.GetAll("Sec-WebSocket-Version") is not [Version])
        {
            answer.Set("Sec-WebSocket-Version", Version); // section 4.4
            answer.Set("Upgrade", "websocket");
            answer.Set("Connection", request.Close ? "Upgrade, close" : "Upgrade");
            return 426;
        }
        // What content there is would be taken for frames by whoever does not look for it.
        if (request.ContentLength != 0 || OfferedSubprotocols(request) is null)
            return 400;
        if (request.Header.GetAll("Sec-WebSocket-Key") is not [var key] || !IsKey(key))
            return 400;
        return IsOriginAllowed(request, options) ? 0 : 403;
    }

    /// <summary>The value of Sec-WebSocket-Accept (section 4.2.2).</summary>
    public static string AcceptOf(string key)
    {
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
#pragma warning disable CA5350 // It proves that the key has been read, and guards nothing: the RFC prescribes it.
        SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"), hash);
#pragma warning restore CA5350
        return Convert.ToBase64String(hash);
    }

    // 16 bytes in base64. 24 characters leave no room for the white space that the decoder would skip.
    private static bool IsKey(string key) => key.Length == 24 && Base64.IsValid(key, out int length) && length == 16;

    /// <summary>The first of the server's subprotocols that the client offers, or null.</summary>
    public static string? ChooseSubprotocol(Request request, WebSocketAcceptOptions options)
    {
        if (options.Subprotocols.Count == 0 || OfferedSubprotocols(request) is not { } offered)
            return null;
        foreach (string own in options.Subprotocols)
        {
            if (offered.Contains(own))
                return own;
        }
        return null;
    }

    // Null when one is no token, or is offered twice (section 4.1, item 10).
    private static List<string>? OfferedSubprotocols(Request request)
    {
        var offered = new List<string>();
        foreach (string line in request.Header.GetAll("Sec-WebSocket-Protocol"))
        {
            foreach (string member in line.Split(',', StringSplitOptions.TrimEntries))
            {
                if (!HttpSyntax.IsToken(member.AsSpan()) || offered.Contains(member))
                    return null;
                offered.Add(member);
            }
        }
        return offered;
    }

    // Schemes are not compared: what decrypts TLS may lie in front of the server.
    private static bool IsOriginAllowed(Request request, WebSocketAcceptOptions options)
    {
        IReadOnlyList<string> origins = request.Header.GetAll("Origin");
        if (origins.Count == 0 || options.AllowedOrigins.Contains("*"))
            return true;
        if (origins is not [var origin])
            return false;
        if (options.AllowedOrigins.Contains(origin))
            return true;
        int scheme = origin.IndexOf("://", StringComparison.Ordinal);
        return scheme > 0 && request.Host.Length > 0 &&
            origin.AsSpan(scheme + 3).Equals(request.Host, StringComparison.OrdinalIgnoreCase);
    }
}
