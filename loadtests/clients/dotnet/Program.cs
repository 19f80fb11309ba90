// Asks the server with .NET's HttpClient and ClientWebSocket: clients-dotnet ADDRESS. Prints "ok NAME" or "FAILED NAME: why" for each check.
using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;

string address = args[0];
var root = new Uri($"http://{address}/");
using var handler = new SocketsHttpHandler
{
    AutomaticDecompression = DecompressionMethods.All,
    MaxConnectionsPerServer = 1,
    Expect100ContinueTimeout = TimeSpan.FromMinutes(1), // a server that does not send 100 (Continue) is found out
};
using var client = new HttpClient(handler) { BaseAddress = root, Timeout = TimeSpan.FromSeconds(20) };
string body = string.Concat(Enumerable.Repeat("0123456789", 100_000));
byte[] octets = Encoding.ASCII.GetBytes(body);

await CheckAsync("50 requests on one connection", async () =>
{
    string peer = await client.GetStringAsync("peer");
    for (int i = 0; i < 50; i++)
        Equal("{\"message\":\"Hello, World!\"}", await client.GetStringAsync("json"));
    Equal(peer, await client.GetStringAsync("peer"));
});
await CheckAsync("head", async () =>
{
    using HttpResponseMessage answer = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "plaintext"));
    Equal("200 13", $"{(int)answer.StatusCode} {answer.Content.Headers.ContentLength}");
});
await CheckAsync("post with length", async () =>
{
    using HttpResponseMessage answer = await client.PostAsync("echo", new StringContent(body));
    Equal(body, await answer.Content.ReadAsStringAsync());
});
await CheckAsync("post chunked", async () =>
{
    using var request = new HttpRequestMessage(HttpMethod.Post, "upload") { Content = new ByteArrayContent(octets) };
    request.Headers.TransferEncodingChunked = true;
    using HttpResponseMessage answer = await client.SendAsync(request);
    Equal($"{octets.Length} {Convert.ToHexStringLower(SHA256.HashData(octets))} chunked\n", await answer.Content.ReadAsStringAsync());
});
await CheckAsync("expect: 100-continue, and content follows", async () =>
{
    using var request = new HttpRequestMessage(HttpMethod.Post, "upload") { Content = new ByteArrayContent(octets) };
    request.Headers.ExpectContinue = true;
    using HttpResponseMessage answer = await client.SendAsync(request);
    Equal($"{octets.Length} {Convert.ToHexStringLower(SHA256.HashData(octets))} length\n", await answer.Content.ReadAsStringAsync());
});
await CheckAsync("expect: 100-continue, refused unread", async () =>
{
    using var request = new HttpRequestMessage(HttpMethod.Post, "refuse") { Content = new ByteArrayContent(octets) };
    request.Headers.ExpectContinue = true;
    using HttpResponseMessage answer = await client.SendAsync(request);
    Equal("Forbidden", answer.StatusCode.ToString());
});
await CheckAsync("compressed text undone by the client", async () =>
{
    using HttpResponseMessage answer = await client.GetAsync("text");
    Equal("8000", $"{(await answer.Content.ReadAsStringAsync()).Length}");
    Equal("", string.Join(',', answer.Content.Headers.ContentEncoding)); // removed by whoever undoes it
});
await CheckAsync("redirect and cookies", async () =>
{
    Equal("{\"message\":\"Hello, World!\"}", await client.GetStringAsync("redirect"));
    for (int i = 0; i < 3; i++)
        Equal($"seen {i}\n", await client.GetStringAsync("cookies"));
});
await CheckAsync("trailers of the answer", async () =>
{
    using HttpResponseMessage answer = await client.PostAsync("trailers", new StringContent("12345"));
    await answer.Content.ReadAsStringAsync();
    Equal("5 none", $"{answer.TrailingHeaders.GetValues("X-Count").Single()} {answer.TrailingHeaders.GetValues("X-Echo").Single()}");
});
await CheckAsync("range", async () =>
{
    using var request = new HttpRequestMessage(HttpMethod.Get, "files/digits.txt");
    request.Headers.Range = new RangeHeaderValue(10, 14);
    using HttpResponseMessage answer = await client.SendAsync(request);
    Equal("PartialContent 01234", $"{answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
});
await CheckAsync("50 MB arrive as they were", async () =>
{
    byte[] all = await client.GetByteArrayAsync("bytes?n=50000000");
    Equal("50000000", $"{all.Length}");
    for (int i = 0; i < all.Length; i++)
    {
        if (all[i] != i % 251)
            throw new InvalidDataException($"octet {i} is {all[i]}");
    }
});
await CheckAsync("ClientWebSocket", async () =>
{
    using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
    using var socket = new ClientWebSocket();
    await socket.ConnectAsync(new Uri($"ws://{address}/ws"), limit.Token);
    Task sending = socket.SendAsync(octets, WebSocketMessageType.Text, true, limit.Token);
    byte[] got = new byte[octets.Length];
    int count = 0;
    while (count < got.Length)
        count += (await socket.ReceiveAsync(got.AsMemory(count), limit.Token)).Count;
    await sending;
    Equal(body, Encoding.ASCII.GetString(got));
    await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", limit.Token);
    Equal("NormalClosure bye", $"{socket.CloseStatus} {socket.CloseStatusDescription}");
});

static async Task CheckAsync(string name, Func<Task> run)
{
    try
    {
        await run();
        Console.WriteLine($"ok {name}");
    }
    catch (Exception e)
    {
        Console.WriteLine($"FAILED {name}: {e.Message.ReplaceLineEndings(" ")}");
    }
}

static void Equal(string expected, string actual)
{
    if (actual != expected)
        throw new InvalidDataException($"got {Start(actual)}, not {Start(expected)}");
}

static string Start(string text) => text.Length > 100 ? text[..100] + "..." : text;
