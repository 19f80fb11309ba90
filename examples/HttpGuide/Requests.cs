using System.Text;
using System.Text.Json.Serialization;
using NetGo.Http;
using NetGo.Http.Testing;

namespace HttpGuide;

// snippet: json
internal sealed record Point(int X, int Y);

[JsonSerializable(typeof(Point))]
internal sealed partial class PointJson : JsonSerializerContext;
// end

internal static class Requests
{
    public static async Task QueryAsync()
    {
        await using TestServer server = TestServer.Start(async (w, r) =>
        {
            // snippet: query
            string? first = r.QueryValues["name"];                            // null when there is none
            IReadOnlyList<string> all = r.QueryValues.GetAll("name");
            await w.WriteAsync($"{all.Count}: {first}");
            // end
        });
        using HttpClient client = server.CreateClient();
        Console.WriteLine(await client.GetStringAsync("/?name=a+b&name=c"));
    }

    public static async Task JsonAsync()
    {
        await using TestServer server = TestServer.Start(async (w, r) =>
        {
            // snippet: json
            Point? point = await r.ReadJsonAsync(PointJson.Default.Point, maxLength: 1000);
            if (point is not null)
                w.WriteJson(point with { X = point.X + 1, Y = point.Y + 1 }, PointJson.Default.Point);
            // end
        });
        using HttpClient client = server.CreateClient();
        using HttpResponseMessage answer = await client.PostAsync("/", new StringContent("""{"X":3,"Y":5}""", Encoding.UTF8, "application/json"));
        Console.WriteLine(await answer.Content.ReadAsStringAsync());
        using HttpResponseMessage refused = await client.PostAsync("/", new StringContent("{}"));
        Console.WriteLine((int)refused.StatusCode);
    }

    public static async Task FormsAsync()
    {
        await using TestServer server = TestServer.Start(async (w, r) =>
        {
            // snippet: forms
            if (r.ContentType?.MediaType == "multipart/form-data")
            {
                using MultipartForm form = await r.ReadMultipartFormAsync(new MultipartLimits { MaxParts = 10 });
                UploadedFile file = form.Files[0];
                using Stream content = file.OpenRead();                       // in memory, or in a temporary file when it is long
                await w.WriteAsync($"{file.FileName}: {file.Length} bytes");
            }
            else
            {
                NamedValues form = await r.ReadFormAsync();
                await w.WriteAsync(form["name"] ?? "nobody");
            }
            // end
        });
        using HttpClient client = server.CreateClient();
        using HttpResponseMessage first = await client.PostAsync("/", new FormUrlEncodedContent([new("name", "gopher")]));
        Console.WriteLine(await first.Content.ReadAsStringAsync());
        using var parts = new MultipartFormDataContent { { new ByteArrayContent("notes"u8.ToArray()), "file", "notes.txt" } };
        using HttpResponseMessage second = await client.PostAsync("/", parts);
        Console.WriteLine(await second.Content.ReadAsStringAsync());
    }

    public static async Task CookiesAsync()
    {
        await using TestServer server = TestServer.Start((w, r) =>
        {
            // snippet: cookies
            if (r.Cookies["session"] is null)
                w.SetCookie(new ResponseCookie("session", "1234") { Path = "/", HttpOnly = true, SameSite = CookieSameSite.Lax });
            // end
            return default;
        });
        using HttpClient client = server.CreateClient();
        using HttpResponseMessage answer = await client.GetAsync("/");
        Console.WriteLine(answer.Headers.GetValues("Set-Cookie").Single());
    }
}
