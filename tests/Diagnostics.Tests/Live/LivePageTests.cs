using System.Text.Json;
using System.Text.RegularExpressions;
using NetGo.Http;
using NetGo.Http.Testing;

namespace NetGo.Diagnostics.Tests;

public sealed partial class LivePageTests : IAsyncLifetime
{
    private readonly TestServer _server;
    private readonly HttpClient _client;

    public LivePageTests()
    {
        var mux = new ServeMux();
        mux.HandleDebug();
        _server = TestServer.Start(mux);
        _client = _server.CreateClient();
    }

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task The_page_lets_in_its_own_scripts_and_styles_by_a_nonce_and_nothing_else()
    {
        string[] nonces = new string[2];
        for (int i = 0; i < nonces.Length; i++)
        {
            HttpResponseMessage answer = await _client.GetAsync("/debug/netgo").Within();
            string html = await answer.Content.ReadAsStringAsync();
            string policy = answer.Headers.GetValues("Content-Security-Policy").Single();
            nonces[i] = Nonce().Match(policy).Groups[1].Value;
            Assert.StartsWith("default-src 'none';", policy);
            Assert.DoesNotContain("unsafe", policy);
            Assert.All(Tags().Matches(html), tag => Assert.Contains($"nonce=\"{nonces[i]}\"", tag.Value));
            Assert.Equal(2, Tags().Count(html));
            Assert.DoesNotMatch(Handlers(), html);
            Assert.DoesNotMatch(OtherHosts(), html);
        }
        Assert.NotEqual(nonces[0], nonces[1]);
    }

    [Fact]
    public async Task Everything_that_the_page_and_its_modules_ask_for_is_there()
    {
        string html = await _client.GetStringAsync("/debug/netgo").Within();
        var wanted = new Queue<string>(Links().Matches(html).Select(static m => m.Groups[1].Value));
        var seen = new HashSet<string>();
        while (wanted.TryDequeue(out string? path))
        {
            if (!seen.Add(path))
                continue;
            HttpResponseMessage answer = await _client.GetAsync($"/debug/{path}").Within();
            Assert.True(answer.IsSuccessStatusCode, path);
            Assert.Equal(path.EndsWith(".js", StringComparison.Ordinal) ? "text/javascript" : "text/css", answer.Content.Headers.ContentType!.MediaType);
            string content = await answer.Content.ReadAsStringAsync();
            Assert.DoesNotMatch(OtherHosts(), content);
            foreach (Match import in Imports().Matches(content))
                wanted.Enqueue($"netgo/{import.Groups[1].Value}");
        }
        Assert.Contains("netgo/timeline.js", seen);
        Assert.Equal("/debug/netgo", (await _client.GetAsync("/debug/netgo/").Within()).RequestMessage!.RequestUri!.AbsolutePath);
    }

    [Theory]
    [InlineData("/debug/netgo/data?after=-1", 400)]
    [InlineData("/debug/netgo/data?after=x", 400)]
    [InlineData("/debug/netgo/data?timeline=2", 400)]
    [InlineData("/debug/netgo/trace?seconds=0", 400)]
    [InlineData("/debug/netgo/trace?seconds=301", 400)]
    [InlineData("/debug/netgo/trace?seconds=1&format=svg", 400)]
    [InlineData("/debug/netgo/page.html", 404)]
    [InlineData("/debug/netgo/..%2fpprof", 404)]
    public async Task What_is_asked_wrongly_is_refused(string path, int status) =>
        Assert.Equal(status, (int)(await _client.GetAsync(path).Within()).StatusCode);

    [Fact]
    public async Task The_figures_are_json()
    {
        HttpResponseMessage answer = await _client.GetAsync("/debug/netgo/data").Within();
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        using var data = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal(Environment.ProcessId, data.RootElement.GetProperty("about").GetProperty("id").GetInt32());
        Assert.InRange(data.RootElement.GetProperty("next").GetInt32(), 0, 1000);
    }

    [Theory]
    [InlineData("go", "go 1.19 trace")]
    [InlineData("perfetto", "{\"displayTimeUnit\"")]
    public async Task A_trace_can_be_downloaded(string format, string begin)
    {
        HttpResponseMessage answer = await _client.GetAsync($"/debug/netgo/trace?seconds=1&format={format}").Within();
        Assert.Equal("attachment", answer.Content.Headers.ContentDisposition!.DispositionType);
        byte[] content = await answer.Content.ReadAsByteArrayAsync();
        Assert.StartsWith(begin, System.Text.Encoding.Latin1.GetString(content));
        if (format == "perfetto")
            JsonDocument.Parse(content).Dispose();
        Bounded.Until(() => GoScheduler.Default.Tracer is null || LiveCollector.Of(GoScheduler.Default).IsOn, "the trace has ended");
    }

    [GeneratedRegex("script-src 'nonce-([A-Za-z0-9+/]+)'")]
    private static partial Regex Nonce();

    [GeneratedRegex("<(script|link rel=\"stylesheet\")[^>]*>")]
    private static partial Regex Tags();

    [GeneratedRegex("\\son[a-z]+=|style=|javascript:")]
    private static partial Regex Handlers();

    [GeneratedRegex("(src|href|from|url\\()=?\\s*[\"'(]?https?:")]
    private static partial Regex OtherHosts();

    [GeneratedRegex("(?:src|href)=\"(netgo/[^\"]+)\"")]
    private static partial Regex Links();

    [GeneratedRegex("from \"\\./([a-z]+\\.js)\"")]
    private static partial Regex Imports();
}
