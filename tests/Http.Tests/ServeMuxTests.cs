namespace NetGo.Http.Tests;

/// <summary>Go's ServeMux, seen over the wire.</summary>
public class ServeMuxTests
{
    [Fact]
    public async Task A_server_without_handler_answers_404()
    {
        await using var server = new TestServer(new Server().Handler);
        using RawClient client = server.Connect();
        Assert.Equal(404, client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
        // "By default everything is answered with 404"; Go answers this one with 200. It is no malformed request.
        Assert.True(client.Exchange("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode is 200 or 204 or 404);
    }

    [Fact]
    public async Task Requests_go_to_the_pattern_that_matches_best()
    {
        await using var server = new TestServer(Mux());
        using RawClient client = server.Connect();
        Assert.Equal("user a b", client.Exchange("GET /users/a%20b HTTP/1.1\r\nHost: h\r\n\r\n").Text);
        Assert.Equal("me", client.Exchange("GET /users/me HTTP/1.1\r\nHost: h\r\n\r\n").Text);
        Assert.Equal("file x/y", client.Exchange("GET /files/x/y HTTP/1.1\r\nHost: h\r\n\r\n").Text);
        Assert.Equal("host", client.Exchange("GET /where HTTP/1.1\r\nHost: special.example:80\r\n\r\n").Text);
        Assert.Equal("host", client.Exchange("GET http://special.example/where HTTP/1.1\r\nHost: other\r\n\r\n").Text);
        Assert.Equal(404, client.Exchange("GET /where HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
        Assert.Equal(404, client.Exchange("GET /users/a/b HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
    }

    [Fact]
    public async Task A_pattern_for_Get_answers_Head_without_content()
    {
        await using var server = new TestServer(Mux());
        using RawClient client = server.Connect();
        RawResponse head = client.Exchange("HEAD /users/me HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal(200, head.StatusCode);
        Assert.Equal("2", head.Get("Content-Length"));
        Assert.Equal("me", client.Exchange("GET /users/me HTTP/1.1\r\nHost: h\r\n\r\n").Text);
    }

    [Fact]
    public async Task Another_method_is_answered_with_405_and_Allow()
    {
        // RFC 9110, section 15.5.6.
        await using var server = new TestServer(Mux());
        RawResponse response = server.Exchange("POST /users/me HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
        Assert.Equal(405, response.StatusCode);
        Assert.Equal("GET, HEAD", response.Get("Allow"));
    }

    [Theory]
    [InlineData("/users//me", "/users/me")]
    [InlineData("/x/../users/me", "/users/me")]
    [InlineData("/files", "/files/")]
    [InlineData("/files?a=b", "/files/?a=b")]
    public async Task An_unclean_path_is_redirected(string target, string location)
    {
        await using var server = new TestServer(Mux());
        RawResponse response = server.Exchange($"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.True(response.StatusCode is 301 or 307 or 308);
        Assert.Equal(location, response.Get("Location"));
    }

    [Theory]
    [InlineData("//evil.example")]
    [InlineData("//evil.example/..")]
    [InlineData("/\\evil.example/..//")]
    [InlineData("/%0d%0aX-Evil:%20a//")]
    [InlineData("/%2f/evil.example//")]
    public async Task A_redirect_leads_to_no_other_host_and_makes_no_field(string target)
    {
        await using var server = new TestServer(Mux());
        RawResponse response = server.Exchange($"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.False(response.Has("X-Evil"));
        if (response.Get("Location") is { } location)
            Assert.False(location.StartsWith("//", StringComparison.Ordinal) || location.StartsWith("/\\", StringComparison.Ordinal) || location.Contains("://", StringComparison.Ordinal), location);
    }

    private static ServeMux Mux()
    {
        var mux = new ServeMux();
        mux.HandleFunc("GET /users/{id}", (w, r) => w.WriteAsync("user " + r.PathValue("id")));
        mux.HandleFunc("GET /users/me", (w, r) => w.WriteAsync("me"));
        mux.HandleFunc("/files/{path...}", (w, r) => w.WriteAsync("file " + r.PathValue("path")));
        mux.HandleFunc("special.example/where", (w, r) => w.WriteAsync("host"));
        return mux;
    }

    [Fact]
    public async Task A_request_without_a_path_is_routed_as_for_the_root()
    {
        var mux = new ServeMux();
        mux.HandleFunc("/{rest...}", (response, request) =>
        {
            response.WriteHeader(403);
            return response.WriteAsync($"[{request.PathValue("rest")}] {request.Method}");
        });
        await using var server = new TestServer(mux);
        Assert.Equal("[] CONNECT", server.Exchange("CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n").Text);
        Assert.Equal("[] GET", server.Exchange("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n").Text);
    }
}
