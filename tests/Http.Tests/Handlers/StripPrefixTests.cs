namespace NetGo.Http.Tests;

/// <summary>Handlers.StripPrefix, alone and between multiplexers.</summary>
public class StripPrefixTests
{
    private static RawResponse Get(TestServer server, string target) => server.Exchange($"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");

    [Theory]
    [InlineData("/static/a/b", "/a/b")]
    [InlineData("/static/", "/")]
    [InlineData("/static", "/")]
    [InlineData("/st%61tic/a%20b", "/a b")]
    [InlineData("http://h/static/a?q", "/a")]
    [InlineData("/statics/a", null)]
    [InlineData("/stati", null)]
    [InlineData("/other/static/a", null)]
    [InlineData("/static%2Fa", null)]
    [InlineData("/", null)]
    public async Task The_handler_sees_the_rest(string target, string? rest)
    {
        foreach (string prefix in (string[])["/static", "/static/"])
        {
            await using var server = new TestServer(NetGo.Http.Handlers.StripPrefix(prefix, new HandlerFunc(Handlers.Path)));
            RawResponse response = Get(server, target);
            Assert.Equal(rest is null ? 404 : 200, response.StatusCode);
            if (rest is not null)
                Assert.Equal(rest, response.Text);
        }
    }

    [Fact]
    public async Task A_prefix_may_hold_what_is_escaped_in_a_path()
    {
        await using var server = new TestServer(NetGo.Http.Handlers.StripPrefix("/a b/ü%", new HandlerFunc(Handlers.Path)));
        Assert.Equal("/c", Get(server, "/a%20b/%C3%BC%25/c").Text);
        Assert.Equal(404, Get(server, "/a%20b/%C3/c").StatusCode);
    }

    [Fact]
    public void A_prefix_begins_with_a_slash()
    {
        Assert.Throws<ArgumentException>(() => NetGo.Http.Handlers.StripPrefix("static", NetGo.Http.Handlers.NotFound));
        Assert.Same(NetGo.Http.Handlers.NotFound, NetGo.Http.Handlers.StripPrefix("/", NetGo.Http.Handlers.NotFound));
    }

    private static TestServer Nest()
    {
        ValueTask Show(ResponseWriter response, Request request) => response.WriteAsync(
            $"{request.Path} {request.Pattern} tenant={request.PathValue("tenant")} id={request.PathValue("id")} rest={request.PathValue("rest")}");
        var items = new ServeMux();
        items.HandleFunc("/{id}", Show);
        items.HandleFunc("/tree/top/", Show);
        var inner = new ServeMux();
        inner.HandleFunc("GET /users/{id}", Show);
        inner.Handle("/items/", NetGo.Http.Handlers.StripPrefix("/items", items));
        var outer = new ServeMux();
        outer.HandleFunc("/plain/{tenant}", Show);
        outer.Handle("/api/{rest...}", new HandlerFunc(async (response, request) =>
        {
            await NetGo.Http.Handlers.StripPrefix("/api", inner).ServeHttpAsync(response, request);
            response.Trailer.Set("After", $"{request.Path} {request.Pattern} {request.PathValue("rest")} [{request.PathValue("id")}]");
        }));
        return new TestServer(outer);
    }

    [Fact]
    public async Task A_nested_mux_routes_by_the_rest_and_the_outer_ones_values_stay()
    {
        await using TestServer server = Nest();
        using RawClient client = server.Connect();
        for (int i = 0; i < 3; i++) // the request object is used again
        {
            RawResponse user = client.Exchange("GET /api/users/7%2F8 HTTP/1.1\r\nHost: h\r\n\r\n");
            Assert.Equal("/users/7/8 GET /users/{id} tenant= id=7/8 rest=users/7/8", user.Text);
            Assert.Equal("/api/users/7/8 /api/{rest...} users/7/8 []", Assert.Single(user.Trailer).Value);
            RawResponse item = client.Exchange("GET /api/items/5 HTTP/1.1\r\nHost: h\r\n\r\n");
            Assert.Equal("/5 /{id} tenant= id=5 rest=items/5", item.Text);
            Assert.Equal("/api/items/5 /api/{rest...} items/5 []", Assert.Single(item.Trailer).Value);
            Assert.Equal("/plain/t /plain/{tenant} tenant=t id= rest=", client.Exchange("GET /plain/t HTTP/1.1\r\nHost: h\r\n\r\n").Text);
        }
        Assert.Equal("GET, HEAD", server.Exchange("POST /api/users/7 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n").Get("Allow"));
    }

    [Theory]
    [InlineData("/api/items?x=1", "/api/items/?x=1")]
    [InlineData("/api/items/tree/top", "/api/items/tree/top/")]
    public async Task Redirects_of_a_nested_mux_have_the_prefix(string target, string location)
    {
        await using TestServer server = Nest();
        RawResponse response = Get(server, target);
        Assert.Equal(307, response.StatusCode);
        Assert.Equal(location, response.Get("Location"));
    }

    [Fact]
    public async Task A_nested_mux_redirects_to_clean_paths_with_the_prefix()
    {
        var inner = new ServeMux();
        inner.HandleFunc("/", Handlers.Path);
        await using var server = new TestServer(NetGo.Http.Handlers.StripPrefix("/a", inner));
        Assert.Equal("/a/c", Get(server, "/a/b/../c").Get("Location"));
        Assert.Equal("/a/evil.example", Get(server, "/a//evil.example").Get("Location"));
    }

    [Fact]
    public async Task The_path_is_restored_when_the_handler_throws()
    {
        IHandler throwing = NetGo.Http.Handlers.StripPrefix("/a", new HandlerFunc((_, _) => throw new InvalidDataException("no")));
        await using var server = new TestServer(async (response, request) =>
        {
            await Assert.ThrowsAsync<InvalidDataException>(async () => await throwing.ServeHttpAsync(response, request));
            await response.WriteAsync(request.Path);
        });
        Assert.Equal("/a/b", Get(server, "/a/b").Text);
    }

    [Fact]
    public async Task Files_are_served_below_a_prefix()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("netgo-strip-");
        try
        {
            File.WriteAllText(Path.Combine(directory.FullName, "a.txt"), "hello");
            Directory.CreateDirectory(Path.Combine(directory.FullName, "sub"));
            var mux = new ServeMux();
            mux.Handle("/static/", NetGo.Http.Handlers.StripPrefix("/static", NetGo.Http.Handlers.FileServer(directory.FullName)));
            await using var server = new TestServer(mux);
            Assert.Equal("hello", Get(server, "/static/a.txt").Text);
            Assert.Equal("sub/", Get(server, "/static/sub").Get("Location"));
            Assert.Equal(404, Get(server, "/a.txt").StatusCode);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
