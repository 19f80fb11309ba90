namespace ClientsServer;

/// <summary>The page whose script does a fetch, an EventSource and a WebSocket, and writes how they went into the document.</summary>
internal static class Page
{
    public const string Html = """
        <!DOCTYPE html>
        <html lang="en">
        <head><title>NetGo and a browser</title><link rel="icon" href="data:,"></head>
        <body>
        <p id="outcome">not run</p>
        <img src="/hold" alt="">
        <script>
        const json = async () => {
          const answer = await (await fetch('/json')).json();
          const text = 'x'.repeat(100000);
          const echo = await (await fetch('/echo', { method: 'POST', body: text })).text();
          return answer.message === 'Hello, World!' && echo === text;
        };
        const events = () => new Promise(resolve => {
          const got = [];
          const source = new EventSource('/events');
          source.onmessage = event => got.push(event.data + '/' + event.lastEventId);
          source.addEventListener('end', () => {
            source.close();
            resolve(got.join() === 'event 1/1,event 2/2,event 3/3');
          });
          source.onerror = () => resolve(false);
        });
        const socket = () => new Promise(resolve => {
          const messages = ['hello', 'y'.repeat(200000)];
          const ws = new WebSocket('ws://' + location.host + '/ws');
          let right = true, count = 0;
          ws.onopen = () => messages.forEach(message => ws.send(message));
          ws.onmessage = event => {
            right = right && event.data === messages[count++];
            if (count === messages.length) ws.close(1000);
          };
          ws.onclose = event => resolve(right && count === messages.length && event.wasClean && event.code === 1000);
        });
        const outcome = async (name, run) => {
          try { return name + (await run() ? ' ok' : ' wrong'); } catch (error) { return name + ' failed: ' + error; }
        };
        Promise.all([outcome('fetch', json), outcome('sse', events), outcome('ws', socket)])
          .then(outcomes => { document.getElementById('outcome').textContent = outcomes.join(', '); })
          .finally(() => fetch('/release', { method: 'POST' }));
        </script>
        </body>
        </html>
        """;
}
