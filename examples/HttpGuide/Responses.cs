using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using NetGo.Http;
using NetGo.Http.Testing;

namespace HttpGuide;

internal static class Responses
{
    public static async Task StreamingAsync()
    {
        await using TestServer server = TestServer.Start(async (w, r) =>
        {
            // snippet: streaming
            w.Header.Set("Content-Type", "text/plain; charset=utf-8");
            w.WriteHeader(200);                                   // without it, the first byte does it
            for (int i = 0; i < 3; i++)
            {
                await w.WriteAsync($"{i}", r.Aborted);
                await w.FlushAsync(r.Aborted);                    // now; else when 60 KiB are there, or at the end
            }
            // end
        });
        using HttpClient client = server.CreateClient();
        Console.WriteLine(await client.GetStringAsync("/"));
    }

    public static async Task TrailerAsync()
    {
        await using TestServer server = TestServer.Start(async (w, r) =>
        {
            // snippet: trailer
            w.Header.Set("Link", "</style.css>; rel=preload; as=style");
            await w.WriteInformationalAsync(103);                 // Early Hints, at once
            await w.WriteAsync("text\n");
            w.Trailer.Set("X-Length", 5.ToString(CultureInfo.InvariantCulture));
            // end
        });
        using HttpClient client = server.CreateClient();
        using HttpResponseMessage answer = await client.GetAsync("/");
        Console.Write(await answer.Content.ReadAsStringAsync());
        Console.WriteLine(answer.TrailingHeaders.GetValues("X-Length").Single());
    }

    public static async Task HijackAsync()
    {
        await using TestServer server = TestServer.Start(async (w, r) =>
        {
            // snippet: hijack
            await using HijackedStream stream = await w.UpgradeAsync("echo");      // 101; HijackAsync sends nothing
            byte[] buffer = new byte[1024];
            while (await stream.ReadAsync(buffer) is > 0 and int n)
                await stream.WriteAsync(buffer.AsMemory(0, n));
            // end
        });
        await using InMemoryStream client = await server.ConnectAsync();
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello"u8.ToArray());
        client.CloseWrite();
        using var reader = new StreamReader(client, Encoding.ASCII);
        string all = await reader.ReadToEndAsync();
        Console.WriteLine(all[(all.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]);
    }

    public static async Task FilesAsync()
    {
        string directory = Directory.CreateTempSubdirectory("netgo").FullName;
        await File.WriteAllTextAsync(Path.Combine(directory, "digits.txt"), "0123456789");
        // snippet: files
        var mux = new ServeMux();
        IHandler files = Handlers.FileServer(directory, new FileServerOptions { ServePrecompressed = true, CacheControl = "max-age=60" });
        mux.Handle("GET /static/", Handlers.StripPrefix("/static", files));
        // end
        await using TestServer server = TestServer.Start(mux);
        using HttpClient client = server.CreateClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/static/digits.txt") { Headers = { Range = new RangeHeaderValue(2, 4) } };
        using HttpResponseMessage part = await client.SendAsync(request);
        Console.WriteLine(await part.Content.ReadAsStringAsync());
        using HttpResponseMessage none = await client.GetAsync("/static/.secret");
        Console.WriteLine((int)none.StatusCode);
        Directory.Delete(directory, recursive: true);
    }
}
