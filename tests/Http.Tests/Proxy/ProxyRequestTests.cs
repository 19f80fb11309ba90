using System.Collections.Concurrent;

namespace NetGo.Http.Tests.Proxy;

/// <summary>What the backend gets to see.</summary>
public class ProxyRequestTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    // The head that a backend gets for a request.
    private static async Task<string> HeadOf(string request, Func<Uri, Action<ProxyRequest>>? rewrite = null, Action<ReverseProxy>? configure = null)
    {
        var heads = new BlockingCollection<string>();
        using var backend = new RawBackend(peer =>
        {
            heads.Add(peer.ReadHead());
            peer.Send(Ok);
            peer.Finish();
        });
        configure ??= static p => p.ViaName = null;
        await using ProxyServer proxy = rewrite is null ? new(backend.Url, configure) : new(rewrite(backend.Url), configure);
        RawResponse response = proxy.Exchange(request);
        Assert.Equal(200, response.StatusCode);
        Assert.Equal("ok", response.Text);
        return heads.Take().Replace(backend.Url.Authority, "BACKEND", StringComparison.Ordinal);
    }

    private static Func<Uri, Action<ProxyRequest>> SetUrl(string path = "/") => origin => r => r.SetUrl(new Uri(origin, path));

    private static string LineOf(string head) => head[..head.IndexOf('\r', StringComparison.Ordinal)];

    private static string[] FieldsOf(string head, string name) =>
        [.. head.Split("\r\n").Where(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)).Select(l => l[(name.Length + 1)..].Trim())];

    [Fact]
    public async Task Nothing_is_added_to_it_but_what_was_asked_for()
    {
        Assert.Equal("GET /x HTTP/1.1\r\nHost: BACKEND\r\nX-One: 1\r\n\r\n", await HeadOf("GET /x HTTP/1.1\r\nHost: h\r\nX-One: 1\r\n\r\n", SetUrl()));
        Assert.Equal(
            "GET /x HTTP/1.1\r\nHost: h.example:81\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: h.example:81\r\nX-Forwarded-Proto: http\r\n\r\n",
            await HeadOf("GET /x HTTP/1.1\r\nHost: h.example:81\r\n\r\n"));
    }

    [Theory]
    [InlineData("/a/../b/./%2e%2e/%41%2f//c", "/", "/a/../b/./%2e%2e/%41%2f//c")]
    [InlineData("/x", "/base", "/base/x")]
    [InlineData("/x", "/base/", "/base/x")]
    [InlineData("/", "/base", "/base/")]
    [InlineData("/x?a=1", "/base?b=2", "/base/x?b=2&a=1")]
    [InlineData("/x", "/?b=2", "/x?b=2")]
    [InlineData("http://h/abs?a", "/", "/abs?a")]
    [InlineData("http://h", "/", "/")]
    [InlineData("//evil.example/x", "/", "//evil.example/x")]
    [InlineData("/x?", "/", "/x")]
    [InlineData("/\\..\\x|\"", "/", "/\\..\\x|\"")]
    public async Task The_path_goes_behind_that_of_the_url_byte_for_byte(string target, string path, string expected)
    {
        string head = await HeadOf($"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n", SetUrl(path));
        Assert.Equal($"GET {expected} HTTP/1.1", LineOf(head));
        Assert.Equal(["BACKEND"], FieldsOf(head, "Host"));
    }

    [Theory]
    [InlineData("a=1&b=2", "a=1&b=2")]
    [InlineData("a=1;b=2", "")]
    [InlineData("a=1&b=2;c=3&d=4", "a=1&d=4")]
    [InlineData("a=%zz&b=%41", "b=%41")]
    [InlineData("a=%4", "")]
    [InlineData("a=%", "")]
    [InlineData("a=%20+;&b", "b")]
    public async Task Query_values_that_can_be_read_in_two_ways_are_taken_out(string query, string expected)
    {
        string target = expected.Length > 0 ? "/?" + expected : "/";
        Assert.Equal($"GET {target} HTTP/1.1", LineOf(await HeadOf($"GET /?{query} HTTP/1.1\r\nHost: h\r\n\r\n")));
    }

    [Fact]
    public async Task Rewrite_can_put_the_query_back_as_it_came_and_change_the_path()
    {
        string head = await HeadOf("GET /?a;b HTTP/1.1\r\nHost: h\r\n\r\n", origin => r =>
        {
            r.SetUrl(origin);
            r.Out.Path = "/x#y";
            r.Out.Query = r.In.Query;
        });
        Assert.Equal("GET /x%23y?a;b HTTP/1.1", LineOf(head)); // a target has no fragment
    }

    [Fact]
    public async Task What_concerns_the_connection_only_is_not_passed_on()
    {
        string head = await HeadOf(
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, X-Named , x-other\r\nConnection: x-third\r\nX-Named: 1\r\nx-OTHER: 1\r\nX-Third: 1\r\n" +
            "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\nProxy-Authenticate: x\r\nTE: gzip\r\n" +
            "Trailer: X\r\nUpgrade: foo\r\nX-Stays: 1\r\n\r\n",
            SetUrl());
        Assert.Equal("GET / HTTP/1.1\r\nHost: BACKEND\r\nX-Stays: 1\r\n\r\n", head);
    }

    [Fact]
    public async Task TE_is_passed_on_for_trailers_alone()
    {
        string head = await HeadOf("GET / HTTP/1.1\r\nHost: h\r\nTE: gzip;q=0.5, trailers\r\nConnection: TE\r\n\r\n", SetUrl());
        Assert.Equal(["trailers"], FieldsOf(head, "TE"));
        Assert.Equal(["TE"], FieldsOf(head, "Connection")); // RFC 9110, section 10.1.4
    }

    [Fact]
    public async Task What_a_client_says_about_those_behind_it_is_not_believed()
    {
        const string Request = "GET / HTTP/1.1\r\nHost: h\r\nForwarded: for=1.2.3.4\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: evil\r\n" +
            "X-Forwarded-Proto: https\r\nConnection: X-Forwarded-For\r\n\r\n";
        string head = await HeadOf(Request, SetUrl());
        Assert.DoesNotContain("orwarded", head, StringComparison.Ordinal);
        head = await HeadOf(Request);
        Assert.Equal(["127.0.0.1"], FieldsOf(head, "X-Forwarded-For"));
        Assert.Equal(["h"], FieldsOf(head, "X-Forwarded-Host"));
        Assert.Equal(["http"], FieldsOf(head, "X-Forwarded-Proto"));
        Assert.Empty(FieldsOf(head, "Forwarded"));
    }

    [Fact]
    public async Task Rewrite_may_copy_it_and_the_address_is_appended()
    {
        string head = await HeadOf("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\n\r\n", origin => r =>
        {
            r.SetUrl(origin);
            foreach (string value in r.In.Header.GetAll("X-Forwarded-For"))
                r.Out.Header.Add("X-Forwarded-For", value);
            r.SetXForwarded();
        });
        Assert.Equal(["1.2.3.4, 5.6.7.8, 127.0.0.1"], FieldsOf(head, "X-Forwarded-For"));
    }

    [Fact]
    public async Task Via_names_the_proxy_behind_those_before_it()
    {
        string head = await HeadOf("GET / HTTP/1.0\r\nHost: h\r\nVia: 1.1 front\r\n\r\n", null, static _ => { });
        Assert.Equal(["1.1 front, 1.0 netgo"], FieldsOf(head, "Via"));
        Assert.Throws<ArgumentException>(() => new ReverseProxy(static _ => { }) { ViaName = "no name" });
    }

    [Theory]
    [InlineData("a_b")]
    [InlineData("h:")]
    [InlineData("[::1]:81")]
    [InlineData("127.1")]
    [InlineData("999.999.999.999")]
    public async Task There_is_one_Host_whatever_it_is(string host) =>
        Assert.Equal([host], FieldsOf(await HeadOf($"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), "Host"));

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: h!$&'()*+,;=%41\r\n\r\n", 400)]
    [InlineData("GET / HTTP/1.1\r\nHost: h..x\r\n\r\n", 400)]
    [InlineData("get / HTTP/1.1\r\nHost: h\r\n\r\n", 501)]
    [InlineData("Post / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 501)]
    public async Task What_HttpClient_would_change_or_cannot_send_is_refused(string request, int status)
    {
        using var backend = RawBackend.Answering(Ok);
        await using var proxy = new ProxyServer(backend.Url);
        Assert.Equal(status, proxy.Exchange(request).StatusCode);
        Assert.Equal(0, backend.Connections);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost:\r\n\r\n")]
    [InlineData("GET / HTTP/1.0\r\n\r\n")]
    public async Task Without_a_host_the_backend_gets_its_own(string request) =>
        Assert.Equal(["BACKEND"], FieldsOf(await HeadOf(request), "Host"));

    [Fact]
    public async Task Fields_are_passed_on_as_they_are()
    {
        string head = await HeadOf(
            "GET / HTTP/1.1\r\nHost: h\r\nX-Latin: gr\u00fc\u00dfe\r\nX-Empty:\r\nUser-Agent: (((\r\nAccept: ///\r\nCookie: a=1\r\nCookie: b=2\r\n" +
            "If-Modified-Since: whenever\r\nContent-Type: odd\r\nReferer: \\\r\nRange: bytes=1-2\r\nAuthorization: x y z\r\n\r\n",
            SetUrl());
        Assert.Equal(["gr\u00fc\u00dfe"], FieldsOf(head, "X-Latin"));
        Assert.Equal([""], FieldsOf(head, "X-Empty"));
        Assert.Equal(["((("], FieldsOf(head, "User-Agent"));
        Assert.Equal(["///"], FieldsOf(head, "Accept"));
        Assert.Equal(["a=1; b=2"], FieldsOf(head, "Cookie"));
        Assert.Equal(["whenever"], FieldsOf(head, "If-Modified-Since"));
        Assert.Equal(["odd"], FieldsOf(head, "Content-Type"));
        Assert.Equal(["\\"], FieldsOf(head, "Referer"));
        Assert.Equal(["bytes=1-2"], FieldsOf(head, "Range"));
        Assert.Equal(["x y z"], FieldsOf(head, "Authorization"));
    }

    [Theory]
    [InlineData("PATCH")]
    [InlineData("QUERY")]
    [InlineData("PROPFIND")]
    [InlineData("propfind")]
    [InlineData("OPTIONS")]
    [InlineData("DELETE")]
    [InlineData("TRACE")]
    public async Task The_method_stays_what_it_is(string method) =>
        Assert.Equal($"{method} / HTTP/1.1", LineOf(await HeadOf($"{method} / HTTP/1.1\r\nHost: h\r\n\r\n")));

    [Fact]
    public async Task Framing_is_not_rewrites_to_decide()
    {
        string head = await HeadOf("GET / HTTP/1.1\r\nHost: h\r\n\r\n", origin => r =>
        {
            r.SetUrl(origin);
            r.Out.Header.Set("Content-Length", "100");
            r.Out.Header.Set("Transfer-Encoding", "chunked");
            r.Out.Header.Set("Host", "other");
            r.Out.Host = "mine";
            r.Out.Header.Set("X-Mine", "1");
            r.Out.Method = "PUT";
        });
        Assert.Equal("PUT / HTTP/1.1\r\nHost: mine\r\nX-Mine: 1\r\nContent-Length: 0\r\n\r\n", head);
    }

    [Fact]
    public async Task A_rewrite_that_fails_or_sets_no_url_is_an_error_of_the_server()
    {
        await using var proxy = new ProxyServer(static r =>
        {
            if (r.In.Path == "/throws")
                throw new InvalidOperationException("Rewrite fails.");
            if (r.In.Path == "/path")
                (r.Out.Origin, r.Out.Path) = (new Uri("http://127.0.0.1:1"), "no slash");
            if (r.In.Path == "/split")
                (r.Out.Origin, r.Out.Query) = (new Uri("http://127.0.0.1:1"), "a HTTP/1.1\r\nX: 1");
        });
        foreach (string path in new[] { "/none", "/throws", "/path", "/split" })
            Assert.Equal(500, proxy.Exchange($"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode);
        Assert.Equal(4, proxy.Front.Log.Entries.Count(static e => e.Exception is InvalidOperationException));
    }

    [Fact]
    public async Task Requests_about_no_resource_are_not_passed_on()
    {
        using var backend = RawBackend.Answering(Ok);
        await using var proxy = new ProxyServer(backend.Url);
        Assert.Equal(501, proxy.Exchange("CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n").StatusCode);
        Assert.Equal("0", proxy.Exchange("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").Get("Content-Length"));
        Assert.Equal(0, backend.Connections);
    }

    [Theory]
    [InlineData("ftp://h/")]
    [InlineData("/relative")]
    public void Only_http_can_be_proxied_to(string url) =>
        Assert.Throws<ArgumentException>(() => ReverseProxy.To(new Uri(url, UriKind.RelativeOrAbsolute)));
}
