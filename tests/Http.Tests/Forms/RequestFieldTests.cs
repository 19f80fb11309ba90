namespace NetGo.Http.Tests;

/// <summary>What a handler reads out of the query and the fields: semantics of Go's net/url and net/http.</summary>
public class RequestFieldTests
{
    [Theory]
    [InlineData("/?a=1&b=2&a=3", "a=1&b=2&a=3")]
    [InlineData("/?b=+x%2B%20y&&=e&n", "b=+x%2B+y&=e&n=")]
    [InlineData("/?a=%zz&b=1;c=2&d=%c3%a4", "d=%C3%A4")]
    [InlineData("/?a=1=2", "a=1%3D2")]
    [InlineData("/", "")]
    public async Task The_query_is_parsed_as_Go_does(string target, string encoded)
    {
        await using var server = new TestServer((response, request) => response.WriteAsync(request.QueryValues.Encode()));
        Assert.Equal(encoded, server.Exchange($"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n").Text);
    }

    [Fact]
    public async Task Values_are_those_of_the_request_and_not_of_the_one_before()
    {
        await using var server = new TestServer((response, request) =>
            response.WriteAsync($"{request.QueryValues["a"]}|{string.Join(',', request.QueryValues.GetAll("a"))}|{request.Cookies["c"]}"));
        using RawClient client = server.Connect();
        Assert.Equal("1|1,2|x", client.Exchange("GET /?a=1&a=2 HTTP/1.1\r\nHost: h\r\nCookie: c=x\r\n\r\n").Text);
        Assert.Equal("||", client.Exchange("GET /?A=1 HTTP/1.1\r\nHost: h\r\n\r\n").Text);
    }

    [Theory]
    [InlineData("a=1; b=2;c = 3 ", "a=1&b=2&c=3")]
    [InlineData("a=\"q x\"; b=\"", "a=q+x")]
    [InlineData("bad name=1; a=b\\c; =x; ok; d=e=f", "ok=&d=e%3Df")]
    [InlineData("a=\u00e4; b=1", "b=1")]
    public async Task Cookies_are_parsed_as_Go_does(string field, string encoded)
    {
        await using var server = new TestServer((response, request) => response.WriteAsync(request.Cookies.Encode()));
        Assert.Equal(encoded, server.Exchange($"GET / HTTP/1.1\r\nHost: h\r\nCookie: {field}\r\n\r\n").Text);
    }

    [Theory]
    [InlineData("Basic dTpwOnc=", "u p:w")]
    [InlineData("bAsIc dTpwOnc=", "u p:w")]
    [InlineData("Basic Og==", " ")]
    [InlineData("Basic dQ==", "none")] // no colon
    [InlineData("Basic dTpw Onc=", "none")]
    [InlineData("Basic /zp4", "none")] // not UTF-8
    [InlineData("Basic dToKeA==", "none")] // a line feed
    [InlineData("Basicx dTpwOnc=", "none")]
    [InlineData("Bearer dTpwOnc=", "none")]
    [InlineData("Basic dTpwOnc=\r\nAuthorization: Basic dTpwOnc=", "none")]
    public async Task Basic_authentication_is_read_when_it_is_well_formed(string field, string expected)
    {
        await using var server = new TestServer((response, request) =>
            response.WriteAsync(request.BasicAuth() is { } auth ? $"{auth.UserName} {auth.Password}" : "none"));
        Assert.Equal(expected, server.Exchange($"GET / HTTP/1.1\r\nHost: h\r\nAuthorization: {field}\r\n\r\n").Text);
    }

    [Theory]
    [InlineData("Bearer a.b-c_d~e+f/g==", "a.b-c_d~e+f/g==")]
    [InlineData("bearer  x", "x")]
    [InlineData("Bearer ==", "none")]
    [InlineData("Bearer a b", "none")]
    [InlineData("Bearer", "none")]
    [InlineData("Basic eA==", "none")]
    public async Task A_bearer_token_is_read_when_it_is_well_formed(string field, string expected)
    {
        await using var server = new TestServer((response, request) => response.WriteAsync(request.BearerToken() ?? "none"));
        Assert.Equal(expected, server.Exchange($"GET / HTTP/1.1\r\nHost: h\r\nAuthorization: {field}\r\n\r\n").Text);
    }

    [Fact]
    public async Task The_user_agent_the_referer_and_the_content_type_are_at_hand()
    {
        await using var server = new TestServer((response, request) =>
            response.WriteAsync($"{request.UserAgent}|{request.Referer}|{request.ContentType?.MediaType}"));
        Assert.Equal("me|http://h/|text/plain", server.Exchange(
            "GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: me\r\nReferer: http://h/\r\nContent-Type: text/plain; a=b\r\n\r\n").Text);
        Assert.Equal("||", server.Exchange("GET / HTTP/1.1\r\nHost: h\r\nContent-Type: text/a\r\nContent-Type: text/b\r\n\r\n").Text);
    }

    [Fact]
    public async Task A_cookie_is_set_with_its_attributes()
    {
        await using var server = new TestServer((response, request) =>
        {
            response.SetCookie(new ResponseCookie("a", "b c"));
            response.SetCookie(new ResponseCookie("__Host-s", "1")
            {
                Path = "/",
                Expires = new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.FromHours(1)),
                MaxAge = TimeSpan.FromSeconds(90.9),
                Secure = true,
                HttpOnly = true,
                SameSite = CookieSameSite.None,
                Partitioned = true,
            });
            response.SetCookie(new ResponseCookie("gone", "") { Domain = ".example.com", MaxAge = TimeSpan.FromSeconds(-1), SameSite = CookieSameSite.Lax });
            return default;
        });
        Assert.Equal(
            [
                "a=\"b c\"",
                "__Host-s=1; Path=/; Expires=Wed, 02 Jan 2030 02:04:05 GMT; Max-Age=90; HttpOnly; Secure; SameSite=None; Partitioned",
                "gone=; Domain=example.com; Max-Age=0; SameSite=Lax",
            ],
            server.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").GetAll("Set-Cookie"));
    }

    public static TheoryData<ResponseCookie> BadCookies =>
    [
        new ResponseCookie("", "v"),
        new ResponseCookie("a b", "v"),
        new ResponseCookie("a=b", "v"),
        new ResponseCookie("a", "v\r\nSet-Cookie: x=y"),
        new ResponseCookie("a", "v;w"),
        new ResponseCookie("a", "\u00e4"),
        new ResponseCookie("a", "v") { Path = "/;Domain=evil" },
        new ResponseCookie("a", "v") { Path = "/\r\n" },
        new ResponseCookie("a", "v") { Domain = "e;x" },
        new ResponseCookie("a", "v") { Expires = DateTimeOffset.MinValue },
        new ResponseCookie("a", "v") { SameSite = CookieSameSite.None },
        new ResponseCookie("a", "v") { Partitioned = true },
        new ResponseCookie("__Secure-a", "v"),
        new ResponseCookie("__Host-a", "v") { Secure = true },
    ];

    [Theory]
    [MemberData(nameof(BadCookies), DisableDiscoveryEnumeration = true)]
    public void A_cookie_that_could_split_the_response_or_be_refused_is_not_made(ResponseCookie cookie) =>
        Assert.Throws<FormatException>(cookie.ToFieldValue);
}
