namespace SignalRChat;

/// <summary>The page. SignalR's own client for browsers would have to be brought along; its protocol over a WebSocket is small: JSON objects, each
/// of which ends with U+001E, after a handshake. Type 1 calls, 3 answers a call, 6 is a ping, 7 is the end.</summary>
internal static class Page
{
    /// <summary>Nothing but the page's own script and style, and its own server.</summary>
    private const string SecurityPolicy =
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'";

    private const string Html = """
        <!DOCTYPE html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Rooms</title>
        <style>
          body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 1rem auto; padding: 0 1rem }
          form { display: flex; gap: .5rem; margin: .5rem 0 } input { flex: 1; min-width: 0; font: inherit }
        </style>
        <h1>Rooms</h1>
        <form id="join">
          <input id="room" maxlength="40" placeholder="Room" required>
          <input id="name" maxlength="40" placeholder="Your name" required><button>Join</button>
        </form>
        <form id="say" hidden><input id="text" maxlength="1000" placeholder="Say something" required><button>Say</button></form>
        <p id="state"></p>
        <ul id="said"></ul>
        <script>
          const end = "\x1e", pingEvery = 15000;
          const get = id => document.getElementById(id);
          let socket, calls = 0, rest = "";

          const send = message => socket.send(JSON.stringify(message) + end);
          const call = (target, ...args) => send({ type: 1, invocationId: String(++calls), target, arguments: args });
          const tell = text => get("state").textContent = text;

          function show(text) {
            const item = document.createElement("li");
            item.textContent = text;
            get("said").prepend(item);
            while (get("said").children.length > 200) get("said").lastChild.remove();
          }

          const told = {
            Joined: (room, name) => show(`${name} has come to ${room}`),
            Left: (room, name) => show(`${name} has left ${room}`),
            Said: (room, name, text) => show(`${name}: ${text}`),
          };

          function take(message) {
            if (message.type === 1) told[message.target]?.(...message.arguments);
            else if (message.type === 3) tell(message.error ?? "");
            else if (message.type === 7) tell(message.error ?? "the server has closed the connection");
            else if (message.type === undefined && message.error) tell(message.error); // the handshake's answer
          }

          function connect(room, name) {
            socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/rooms");
            rest = "";
            const pings = setInterval(() => { if (socket.readyState === WebSocket.OPEN) send({ type: 6 }); }, pingEvery);
            socket.onopen = () => {
              tell("");
              send({ protocol: "json", version: 1 });
              call("Join", room, name);
              get("join").hidden = true;
              get("say").hidden = false;
              get("text").focus();
            };
            socket.onmessage = e => {
              const parts = (rest + e.data).split(end);
              rest = parts.pop();
              parts.forEach(part => take(JSON.parse(part)));
            };
            socket.onclose = () => {
              clearInterval(pings);
              tell("connecting again");
              setTimeout(connect, 1000, room, name);
            };
          }

          get("join").onsubmit = e => {
            e.preventDefault();
            connect(get("room").value, get("name").value);
          };
          get("say").onsubmit = e => {
            e.preventDefault();
            if (socket.readyState !== WebSocket.OPEN) return;
            call("Say", get("text").value);
            get("text").value = "";
          };
        </script>
        </html>
        """;

    public static IResult Get(HttpResponse response)
    {
        response.Headers.ContentSecurityPolicy = SecurityPolicy;
        return Results.Content(Html, "text/html; charset=utf-8");
    }
}
