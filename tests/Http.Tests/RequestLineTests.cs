namespace NetGo.Http.Tests;

/// <summary>RFC 9112, section 3: request line. What is malformed is answered with 400 and not guessed at.</summary>
public class RequestLineTests
{
    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    [InlineData("OPTIONS")]
    [InlineData("TRACE")]
    [InlineData("get")]
    [InlineData("M-SEARCH")]
    [InlineData("X")]
    [InlineData("PROPFINDPROPFINDPROPFINDPROPFIND")]
    [InlineData("!#$%&'*+-.^_`|~09azAZ")]
    public async Task Any_token_is_a_method_and_reaches_the_handler_as_it_was_sent(string method)
    {
        await using var server = new TestServer(Handlers.Describe);
        RawResponse response = server.Exchange($"{method} / HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal(200, response.StatusCode);
        Assert.Equal(method, response.Text.Split('\n')[0]);
    }

    [Theory]
    [InlineData("G(T")]
    [InlineData("G\"T")]
    [InlineData("G/T")]
    [InlineData("G:T")]
    [InlineData("G\x01T")]
    [InlineData("G\x7fT")]
    [InlineData("G\xe4T")]
    [InlineData("{GET}")]
    [InlineData("")]
    public async Task A_method_that_is_no_token_is_refused(string method)
    {
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused($"{method} / HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    }

    [Theory]
    [InlineData("/", "/", "")]
    [InlineData("/a/b", "/a/b", "")]
    [InlineData("/a?b=c&d", "/a", "b=c&d")]
    [InlineData("/a?", "/a", "")]
    [InlineData("/?a?b/c", "/", "a?b/c")]
    [InlineData("//a", "//a", "")]
    [InlineData("/a%20b%2Fc", "/a b/c", "")]
    [InlineData("/%C3%A4?%C3%A4", "/\u00c3\u00a4", "%C3%A4")] // UTF-8 sent, read as Latin-1
    [InlineData("/%zz%4", "/%zz%4", "")]
    [InlineData("/:@!$&'()*+,;=-._~", "/:@!$&'()*+,;=-._~", "")]
    public async Task Origin_form_is_split_into_path_and_query(string target, string path, string query)
    {
        await using var server = new TestServer(Handlers.Describe);
        RawResponse response = server.Exchange($"GET {target} HTTP/1.1\r\nHost: example.com:81\r\n\r\n");
        Assert.Equal(200, response.StatusCode);
        Assert.Equal($"GET\n{target}\n{path}\n{query}\nexample.com:81\nHTTP/1.1", response.Text);
    }

    [Theory]
    [InlineData("http://target.example/a?b", "/a", "b", "target.example")]
    [InlineData("http://target.example:8080/a", "/a", "", "target.example:8080")]
    [InlineData("http://target.example", "/", "", "target.example")] // RFC 9110, section 4.2.3: an empty path is "/"
    [InlineData("http://target.example?q", "/", "q", "target.example")]
    [InlineData("HTTP://target.example/", "/", "", "target.example")]
    [InlineData("http://[::1]:80/", "/", "", "[::1]:80")]
    public async Task The_host_of_an_absolute_form_overrides_the_Host_field(string target, string path, string query, string host)
    {
        // RFC 9112, section 3.2.2.
        await using var server = new TestServer(Handlers.Describe);
        RawResponse response = server.Exchange($"GET {target} HTTP/1.1\r\nHost: other.example\r\n\r\n");
        Assert.Equal(200, response.StatusCode);
        Assert.Equal($"GET\n{target}\n{path}\n{query}\n{host}\nHTTP/1.1", response.Text);
    }

    [Theory]
    [InlineData("http:///a")] // RFC 9110, section 4.2.1: an empty host is invalid
    [InlineData("http://")]
    [InlineData("http://:80/")]
    [InlineData("http://user@target.example/")] // RFC 9110, section 4.2.4
    [InlineData("http://user:secret@target.example/")]
    [InlineData("http://target.example:80a/")]
    [InlineData("http://[::1/")]
    [InlineData("http://a b/")]
    [InlineData("http:/a")]
    [InlineData("://a/")]
    public async Task A_malformed_absolute_form_is_refused(string target)
    {
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused($"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    }

    [Fact]
    public async Task An_absolute_form_does_not_replace_the_Host_field()
    {
        // RFC 9112, section 3.2: 400 to any HTTP/1.1 request that lacks a Host field.
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused("GET http://target.example/ HTTP/1.1\r\n\r\n", 400);
    }

    [Fact]
    public async Task Options_takes_the_asterisk_form()
    {
        await using var server = new TestServer(Handlers.Describe);
        RawResponse response = server.Exchange("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.Equal(200, response.StatusCode);
        Assert.Equal("OPTIONS\n*\n*\n\nh\nHTTP/1.1", response.Text);
    }

    [Theory]
    [InlineData("GET *")]
    [InlineData("POST *")]
    [InlineData("OPTIONS *a")]
    [InlineData("OPTIONS **")]
    [InlineData("OPTIONS *?a")]
    public async Task The_asterisk_is_for_Options_alone(string methodAndTarget)
    {
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused($"{methodAndTarget} HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    }

    [Theory]
    [InlineData("target.example:443")]
    [InlineData("127.0.0.1:1")]
    [InlineData("[::1]:443")]
    public async Task Connect_takes_the_authority_form(string target)
    {
        await using var server = new TestServer((response, request) =>
        {
            response.Header.Set("X-Seen", string.Join(' ', request.Method, request.Target, request.Path, request.Host));
            response.WriteHeader(403);
            return default;
        });
        RawResponse response = server.Exchange($"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
        Assert.Equal(403, response.StatusCode);
        Assert.Equal($"CONNECT {target}  {target}", response.Get("X-Seen"));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("*")]
    [InlineData("http://target.example/")]
    [InlineData("target.example")] // RFC 9110, section 9.3.6: an empty or invalid port MUST be rejected
    [InlineData("target.example:")]
    [InlineData("target.example:x")]
    [InlineData("target.example:443/")]
    [InlineData(":443")]
    [InlineData("user@target.example:443")]
    public async Task Connect_takes_no_other_form(string target)
    {
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused($"CONNECT {target} HTTP/1.1\r\nHost: target.example\r\n\r\n", 400);
    }

    [Theory]
    [InlineData("target.example:443")]
    [InlineData("a")]
    [InlineData("?a")]
    [InlineData("\\")]
    public async Task Other_methods_do_not_take_the_authority_form_or_a_relative_path(string target)
    {
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused($"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    }

    [Fact]
    public async Task An_empty_line_before_the_request_line_is_ignored()
    {
        // RFC 9112, section 2.2. Old clients send one after the content of a POST.
        await using var server = new TestServer(Handlers.Path);
        using RawClient client = server.Connect();
        Assert.Equal("/first", client.Exchange("\r\nGET /first HTTP/1.1\r\nHost: h\r\n\r\n").Text);
        Assert.Equal("/post", client.Exchange("POST /post HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi\r\n").Text);
        Assert.Equal("/next", client.Exchange("GET /next HTTP/1.1\r\nHost: h\r\n\r\n").Text);
    }

    [Fact]
    public async Task Empty_lines_without_end_are_refused_however_they_come()
    {
        await using var server = new TestServer(Handlers.Ok);
        using RawClient client = server.Connect();
        for (int i = 0; i < 10; i++)
        {
            client.SendAnyway("\r\n");
            await Task.Delay(10);
        }
        Assert.Equal(400, client.ReadResponse().StatusCode);
    }

    [Theory]
    [InlineData("HTTP/1.1")]
    [InlineData("HTTP/1.0")]
    [InlineData("HTTP/1.2")] // RFC 9110, section 2.5: a higher minor version is processed as the highest one known
    [InlineData("HTTP/1.9")]
    public async Task Versions_of_major_number_1_are_answered(string version)
    {
        await using var server = new TestServer(Handlers.Ok);
        RawResponse response = server.Exchange($"GET / {version}\r\nHost: h\r\n\r\n");
        Assert.Equal(200, response.StatusCode);
        Assert.Equal("ok", response.Text);
    }

    [Theory]
    [InlineData("GET / HTTP/2.0\r\nHost: h\r\n\r\n")]
    [InlineData("GET / HTTP/3.0\r\nHost: h\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    public async Task Other_major_versions_are_answered_with_505(string request)
    {
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused(request, 505);
    }

    [Theory]
    [InlineData("http/1.1")]
    [InlineData("Http/1.1")]
    [InlineData("HTTP/1")]
    [InlineData("HTTP/1.")]
    [InlineData("HTTP/.1")]
    [InlineData("HTTP/11")]
    [InlineData("HTTP/1.10")]
    [InlineData("HTTP/01.1")]
    [InlineData("HTTP/1,1")]
    [InlineData("HTTP/1.1x")]
    [InlineData("HTTP/1.a")]
    [InlineData("HTTP/-1.1")]
    [InlineData("HTTPS/1.1")]
    [InlineData("HTTP 1.1")]
    [InlineData("XXXX/1.1")]
    [InlineData("")]
    public async Task A_version_that_is_none_is_refused(string version)
    {
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused($"GET / {version}\r\nHost: h\r\n\r\n", 400);
    }

    [Theory]
    [InlineData(" GET / HTTP/1.1")]
    [InlineData("GET  / HTTP/1.1")]
    [InlineData("GET /  HTTP/1.1")]
    [InlineData("GET / HTTP/1.1 ")]
    [InlineData("GET / HTTP/1.1\t")]
    [InlineData("GET\t/ HTTP/1.1")]
    [InlineData("GET /\tHTTP/1.1")]
    [InlineData("GET /a b HTTP/1.1")]
    [InlineData("GET /\u000bHTTP/1.1")]
    [InlineData("GET/ HTTP/1.1")]
    [InlineData("GET /HTTP/1.1")]
    [InlineData("GET /")]
    [InlineData("GET")]
    [InlineData("nonsense")]
    public async Task A_request_line_is_three_words_between_single_spaces(string line)
    {
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused($"{line}\r\nHost: h\r\n\r\n", 400);
    }

    [Theory]
    [InlineData('\x00')]
    [InlineData('\x01')]
    [InlineData('\t')]
    [InlineData('\n')]
    [InlineData('\x0b')]
    [InlineData('\x0c')]
    [InlineData('\r')]
    [InlineData('\x1b')]
    [InlineData('\x1f')]
    [InlineData('\x7f')]
    [InlineData('\x80')]
    [InlineData('\xe4')]
    [InlineData('\xff')]
    [InlineData('#')]
    public async Task Characters_that_no_target_may_hold_are_refused(char character)
    {
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused($"GET /{character} HTTP/1.1\r\nHost: h\r\n\r\n", 400);
        server.AssertRefused($"GET /0123456789abcdef0123456789abcdef{character}0123456789abcdef HTTP/1.1\r\nHost: h\r\n\r\n", 400);
        server.AssertRefused($"GET /?a={character} HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    }

    [Fact]
    public async Task A_line_feed_alone_ends_no_request_line()
    {
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused("GET / HTTP/1.1\nHost: h\r\n\r\n", 400);
        server.AssertRefused("GET / HTTP/1.1\nHost: h\n\n", 400);
        server.AssertRefused("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400);
    }

    [Fact]
    public async Task A_carriage_return_alone_ends_no_request_line()
    {
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused("GET / HTTP/1.1\rHost: h\r\n\r\n", 400);
        server.AssertRefused("GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", 400);
    }
}
