namespace NetGo.Http.Tests;

/// <summary>WithCors: the CORS protocol of the Fetch standard.</summary>
public class CorsTests
{
    private static TestServer Serve(CorsOptions options) => new(new HandlerFunc(Handlers.Ok).WithCors(options));

    private static CorsOptions Some() => new()
    {
        Origins = { "https://a.example" },
        IsAllowed = origin => origin == "https://b.example",
        Methods = { "PUT" },
        Headers = { "X-One", "X-Two" },
        ExposedHeaders = { "X-Three" },
        AllowCredentials = true,
        MaxAge = TimeSpan.FromMinutes(10),
    };

    [Theory]
    [InlineData("https://a.example", true)]
    [InlineData("https://b.example", true)]
    [InlineData("https://a.example.evil", false)]
    [InlineData("http://a.example", false)]
    [InlineData("null", false)]
    public async Task Only_allowed_origins_get_permission(string origin, bool allowed)
    {
        await using TestServer server = Serve(Some());
        RawResponse simple = server.Exchange($"GET / HTTP/1.1\r\nHost: h\r\nOrigin: {origin}\r\n\r\n");
        Assert.Equal("ok", simple.Text);
        Assert.Equal(allowed ? origin : null, simple.Get("Access-Control-Allow-Origin"));
        Assert.Equal(allowed ? "true" : null, simple.Get("Access-Control-Allow-Credentials"));
        Assert.Equal(allowed ? "X-Three" : null, simple.Get("Access-Control-Expose-Headers"));
        Assert.Equal("Origin", simple.Get("Vary"));

        RawResponse preflight = server.Exchange(
            $"OPTIONS / HTTP/1.1\r\nHost: h\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: PUT\r\n\r\n");
        Assert.Equal(204, preflight.StatusCode);
        Assert.Equal(allowed ? origin : null, preflight.Get("Access-Control-Allow-Origin"));
        Assert.Equal(allowed ? "GET, HEAD, POST, PUT" : null, preflight.Get("Access-Control-Allow-Methods"));
        Assert.Equal(allowed ? "X-One, X-Two" : null, preflight.Get("Access-Control-Allow-Headers"));
        Assert.Equal(allowed ? "600" : null, preflight.Get("Access-Control-Max-Age"));
        Assert.Equal("Origin, Access-Control-Request-Method, Access-Control-Request-Headers", preflight.Get("Vary"));
    }

    [Fact]
    public async Task Other_requests_reach_the_handler()
    {
        await using TestServer server = Serve(Some());
        Assert.Equal("ok", server.Exchange("OPTIONS / HTTP/1.1\r\nHost: h\r\nOrigin: https://a.example\r\n\r\n").Text);
        RawResponse plain = server.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal("Origin", plain.Get("Vary"));
        Assert.False(plain.Has("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task All_origins_may_be_allowed_but_not_with_credentials()
    {
        var options = new CorsOptions { Origins = { "*" } };
        await using TestServer server = Serve(options);
        RawResponse response = server.Exchange("GET / HTTP/1.1\r\nHost: h\r\nOrigin: https://any.example\r\n\r\n");
        Assert.Equal("*", response.Get("Access-Control-Allow-Origin"));
        Assert.False(response.Has("Vary"));
        options.AllowCredentials = true;
        Assert.Throws<ArgumentException>(() => Serve(options));
        Assert.Throws<ArgumentException>(() => Serve(new CorsOptions { Methods = { "P\r\nUT" } }));
    }
}
