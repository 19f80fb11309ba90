namespace Chat;

/// <summary>The page. No library, and what others have said is only ever set as text.</summary>
internal static class Page
{
    /// <summary>Nothing but the page's own script and style, and its own server.</summary>
    public const string SecurityPolicy =
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'";

    public const string Html = """
        <!DOCTYPE html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Chat</title>
        <style>
          body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 1rem auto; padding: 0 1rem }
          form { display: flex; gap: .5rem } input { flex: 1; font: inherit }
        </style>
        <h1>Chat</h1>
        <form><input maxlength="250" placeholder="Say something" autofocus required><button>Say</button></form>
        <p id="state">connecting</p>
        <ul id="said"></ul>
        <script>
          const state = document.getElementById("state"), said = document.getElementById("said");
          const form = document.querySelector("form"), input = document.querySelector("input");

          const events = new EventSource("/events");
          events.onmessage = e => {
            const item = document.createElement("li");
            item.textContent = e.data;
            said.prepend(item);
            while (said.children.length > 200) said.lastChild.remove();
          };

          let socket;
          function connect() {
            socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/talk");
            socket.onopen = () => state.textContent = "connected";
            socket.onclose = () => { state.textContent = "connecting again"; setTimeout(connect, 1000); };
          }
          connect();

          form.onsubmit = e => {
            e.preventDefault();
            if (socket.readyState !== WebSocket.OPEN) return;
            socket.send(input.value);
            input.value = "";
          };
        </script>
        </html>
        """;
}
