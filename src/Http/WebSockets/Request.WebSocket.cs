namespace NetGo.Http;

public sealed partial class Request
{
    /// <summary>Whether the client asks for a WebSocket: Upgrade lists websocket, Connection lists Upgrade, and the version is
    /// HTTP/1.1; gorilla's IsWebSocketUpgrade. Whether its handshake is whole <see cref="WebSocketUpgrade.AcceptWebSocketAsync"/>
    /// finds out.</summary>
    public bool IsWebSocketUpgrade => AsksToUpgradeTo("websocket");
}
