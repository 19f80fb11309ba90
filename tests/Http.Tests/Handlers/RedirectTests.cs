namespace NetGo.Http.Tests;

/// <summary>Redirects, errors, NotFound and AllowQuerySemicolons.</summary>
public class RedirectTests
{
    // The locations are those of Go 1.24's http.Redirect, but for the last three groups.
    [Theory]
    [InlineData("/a/b", "c", "/a/c")]
    [InlineData("/a/b", "c/", "/a/c/")]
    [InlineData("/a/b", "../c?x=../y", "/c?x=../y")]
    [InlineData("/a/b", "/x//y/./z", "/x/y/z")]
    [InlineData("/a/b", "", "/a/")]
    [InlineData("/a/b", "?q", "/a/?q")]
    [InlineData("/a/b", "../../../..", "/")]
    [InlineData("/a/b", "http://other/x/../y", "http://other/x/../y")]
    [InlineData("/a/b", "mailto:a@b", "mailto:a@b")]
    [InlineData("/a/b", "//other/x", "//other/x")]
    [InlineData("//evil.example/b", "c", "/evil.example/c")]
    [InlineData("/a/b", "/ü\r\nX: y", "/%C3%BC%0D%0AX:%20y")]
    [InlineData("/a/b", "/\\evil.example", "/%5Cevil.example")]
    [InlineData("/a/b", "c#d/../e", "/a/c#d/../e")]
    [InlineData("/a%20b/c", "d%2Fe", "/a%20b/d%2Fe")]
    public async Task Locations(string path, string url, string location)
    {
        await using var server = new TestServer(NetGo.Http.Handlers.Redirect(url, 301));
        RawResponse response = server.Exchange($"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal(301, response.StatusCode);
        Assert.Equal(location, response.Get("Location"));
    }

    [Fact]
    public async Task Below_a_prefix_relative_paths_have_it()
    {
        await using var server = new TestServer(NetGo.Http.Handlers.StripPrefix("/p", NetGo.Http.Handlers.Redirect("c")));
        RawResponse response = server.Exchange("GET /p/b HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal(302, response.StatusCode);
        Assert.Equal("/p/c", response.Get("Location"));
    }

    [Fact]
    public async Task Only_the_answer_to_GET_has_content_and_it_is_escaped()
    {
        await using var server = new TestServer(NetGo.Http.Handlers.Redirect("/a?b='&\"<c", 308));
        RawResponse get = server.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal("<a href=\"/a?b=&#39;&amp;%22%3Cc\">Permanent Redirect</a>.\n", get.Text);
        Assert.Equal("text/html; charset=utf-8", get.Get("Content-Type"));
        Assert.Equal("text/html; charset=utf-8", server.Exchange("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").Get("Content-Type"));
        RawResponse post = server.Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal("", post.Text);
        Assert.False(post.Has("Content-Type"));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(400)]
    public void Other_statuses_are_none_of_redirects(int status) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => NetGo.Http.Handlers.Redirect("/", status));

    [Fact]
    public async Task An_error_takes_back_what_was_said_of_the_content()
    {
        await using var server = new TestServer((response, request) =>
        {
            foreach (string name in (string[])["Content-Length", "ETag", "Last-Modified", "Cache-Control", "Content-Encoding", "X-Other"])
                response.Header.Set(name, "1");
            response.Header.Set("Content-Type", "text/html");
            return response.ErrorAsync(403, "not <you>");
        });
        RawResponse answer = server.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal(403, answer.StatusCode);
        Assert.Equal("not <you>\n", answer.Text);
        Assert.Equal("text/plain; charset=utf-8", answer.Get("Content-Type"));
        Assert.Equal("nosniff", answer.Get("X-Content-Type-Options"));
        Assert.Equal("1", answer.Get("X-Other"));
        Assert.False(answer.Has("ETag") || answer.Has("Last-Modified") || answer.Has("Cache-Control") || answer.Has("Content-Encoding"));
    }

    [Fact]
    public async Task Nothing_is_found()
    {
        await using var server = new TestServer(NetGo.Http.Handlers.NotFound);
        RawResponse answer = server.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal(404, answer.StatusCode);
        Assert.Equal("404 Not Found\n", answer.Text);
    }

    [Fact]
    public async Task Semicolons_separate_values_where_they_are_allowed()
    {
        var show = new HandlerFunc((response, request) => response.WriteAsync($"{request.Query} {request.QueryValues["a"]} {request.QueryValues["b"]}"));
        IHandler allowing = NetGo.Http.Handlers.AllowQuerySemicolons(show);
        await using var server = new TestServer(async (response, request) =>
        {
            await show.ServeHttpAsync(response, request);
            await response.WriteAsync("|");
            await allowing.ServeHttpAsync(response, request);
            await response.WriteAsync("|");
            await show.ServeHttpAsync(response, request);
        });
        using RawClient client = server.Connect();
        Assert.Equal("a=1;b=2  |a=1&b=2 1 2|a=1;b=2  ", client.Exchange("GET /?a=1;b=2 HTTP/1.1\r\nHost: h\r\n\r\n").Text);
        Assert.Equal("a=1 1 |a=1 1 |a=1 1 ", client.Exchange("GET /?a=1 HTTP/1.1\r\nHost: h\r\n\r\n").Text);
        Assert.Equal("  |  |  ", client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").Text);
    }
}
