using System.Text;

namespace NetGo.Http.Tests.Routing;

public class RoutingTreeTests
{
    private readonly RoutingTree<string> _tree = new();
    private readonly PathMatch _match = new();

    [Theory]
    // The examples of net/http's documentation.
    [InlineData("GET", "/posts/latest", "GET /posts/latest")]
    [InlineData("POST", "/posts/latest", "/posts/{other}", "other=latest")]
    [InlineData("GET", "/posts/7", "GET /posts/{id}", "id=7")]
    [InlineData("HEAD", "/posts/7", "GET /posts/{id}", "id=7")]
    [InlineData("POST", "/posts/7", "/posts/{other}", "other=7")]
    [InlineData("GET", "/b/bucket/o/a/b/c", "/b/{bucket}/o/{objectname...}", "bucket=bucket", "objectname=a/b/c")]
    [InlineData("GET", "/b/bucket/o/default", "/b/{bucket}/o/default", "bucket=bucket")]
    [InlineData("GET", "/b/bucket/o/", "/b/{bucket}/o/{objectname...}", "bucket=bucket", "objectname=")]
    [InlineData("GET", "/b/bucket/verb", "/b/{bucket}/{verb}", "bucket=bucket", "verb=verb")]
    [InlineData("GET", "/images/thumbnails/x/y", "/images/thumbnails/")]
    [InlineData("GET", "/images/x/y", "/images/")]
    [InlineData("GET", "/images/", "/images/")]
    // A literal that leads nowhere is taken back.
    [InlineData("GET", "/c/d/z", "/c/d/z")]
    [InlineData("GET", "/c/d/e", "/c/{x}/e", "x=d")]
    [InlineData("GET", "/c/d/f", "/c/")]
    [InlineData("GET", "/c/d/f/g", "/c/")]
    // {$} is for the slash at the end alone.
    [InlineData("GET", "/", "/{$}")]
    [InlineData("GET", "/nothing", "/")]
    [InlineData("GET", "/dir/", "/dir/{$}")]
    [InlineData("GET", "/dir/x", "/dir/{x}", "x=x")]
    // Methods: the one named goes first, then GET for HEAD, then any.
    [InlineData("HEAD", "/m", "HEAD /m")]
    [InlineData("GET", "/m", "GET /m")]
    [InlineData("POST", "/m", "/m")]
    [InlineData("get", "/m", "/m")]
    public void The_most_specific_pattern_wins(string method, string path, string pattern, params string[] values)
    {
        Add("GET /posts/latest", "GET /posts/{id}", "/posts/{other}");
        Add("/b/{bucket}/o/{objectname...}", "/b/{bucket}/o/default", "/b/{bucket}/{verb}");
        Add("/images/", "/images/thumbnails/");
        Add("/c/", "/c/d/z", "/c/{x}/e");
        Add("/", "/{$}", "/dir/{$}", "/dir/{x}");
        Add("HEAD /m", "GET /m", "/m");

        AssertFound(method, "", path, pattern, values);
    }

    [Theory]
    [InlineData("example.com", "/a", "GET example.com/a")]
    [InlineData("EXAMPLE.com:8080", "/a", "GET example.com/a")]
    [InlineData("example.com:", "/a", "GET example.com/a")]
    [InlineData("example.com", "/posts/7", "GET example.com/")]
    [InlineData("example.com", "/b", "POST /b", "POST")]
    [InlineData("example.com.evil.org", "/a", "/a")]
    [InlineData("xexample.com", "/a", "/a")]
    [InlineData("", "/a", "/a")]
    [InlineData("[::1]", "/a", "[::1]/a")]
    [InlineData("[::1]:80", "/a", "[::1]/a")]
    [InlineData("::1", "/a", "/a")]
    public void A_pattern_with_the_host_goes_before_one_without(string host, string path, string pattern, string method = "GET")
    {
        Add("/a", "/posts/{id}", "POST /b", "GET example.com/a", "GET example.com/", "[::1]/a");

        AssertFound(method, host, path, pattern);
    }

    [Theory]
    [InlineData("/posts/{id}", "/{resource}/latest")]
    [InlineData("/a/{x}", "/a/{y}")]
    [InlineData("/a/", "/a/{rest...}")]
    [InlineData("GET /", "/index.html")]
    [InlineData("h.com/{x}/b", "h.com/a/{y}")]
    public void A_conflict_is_refused_and_leaves_the_tree_as_it_was(string present, string added)
    {
        foreach ((string first, string second) in ((string, string)[])[(present, added), (added, present)])
        {
            var tree = new RoutingTree<string>();
            tree.Add(Pattern.Parse(first), first);

            InvalidOperationException error = Assert.Throws<InvalidOperationException>(
                () => tree.Add(Pattern.Parse(second), second));

            Assert.Contains($"\"{first}\"", error.Message, StringComparison.Ordinal);
            Assert.Contains($"\"{second}\"", error.Message, StringComparison.Ordinal);
            Assert.Throws<InvalidOperationException>(() => tree.Add(Pattern.Parse(first), first));
            tree.Add(Pattern.Parse("PUT /quite/another"), "");
        }
    }

    [Theory]
    [InlineData("/users/a%2Fb", "/users/{id}", "id=a/b")]
    [InlineData("/users/%61", "/users/{id}", "id=a")]
    [InlineData("/users/a%20b+c", "/users/{id}", "id=a b+c")]
    [InlineData("/users/%E5%90%8D", "/users/{id}", "id=名")]
    [InlineData("/users/%FF", "/users/{id}", "id=\uFFFD")]
    [InlineData("/users/100%", "/users/{id}", "id=100%")]
    [InlineData("/users/%zz%41", "/users/{id}", "id=%zz%41")]
    [InlineData("/users/%2E%2e", "/users/{id}", "id=..")]
    [InlineData("/%75sers/me", "/users/me")]
    [InlineData("/users/%6De", "/users/me")]
    [InlineData("/users/{me}", "/users/%7Bme%7D")]
    [InlineData("/files/a/b%2Fc/", "/files/{path...}", "path=a/b/c/")]
    [InlineData("/files/a%2", "/files/{path...}", "path=a%2")]
    [InlineData("/slash/x%2fy", "/slash/x%2Fy")]
    [InlineData("/slash/x/y", "/slash/")]
    [InlineData("/slash/%2F", "/slash/")]
    [InlineData("/café", "/caf%C3%A9")]
    [InlineData("/caf%c3%a9", "/caf%C3%A9")]
    [InlineData("/50%25", "/50%25")]
    [InlineData("/%6*", "/%6*")]
    [InlineData("/*", "/*")]
    public void Segments_are_matched_unescaped_one_by_one(string path, string pattern, params string[] values)
    {
        Add("/users/{id}", "/users/me", "/users/%7Bme%7D", "/files/{path...}", "/slash/", "/slash/{$}", "/slash/x%2Fy");
        Add("/caf%C3%A9", "/50%25", "/%6*", "/*");

        AssertFound("GET", "", path, pattern, values);
    }

    [Fact]
    public void A_literal_of_many_characters_matches_escaped_too()
    {
        string name = new('n', 3000);
        Add("/" + name, "/a");

        AssertFound("GET", "", "/%6E" + name[1..], "/" + name);
        Assert.Equal(RouteOutcome.NotFound, Match("GET", "", "/%6E" + name, out _));
    }

    [Theory]
    [InlineData("DELETE", "/a/b", "GET, HEAD, PATCH, POST")]
    [InlineData("GET", "/a/c", "HEAD, PATCH, POST")]
    [InlineData("GET", "/only/post", "POST")]
    [InlineData("get", "/only/post", "POST")]
    [InlineData("GET", "/sub", "PUT")]
    [InlineData("GET", "/sub/x/y", "PUT")]
    [InlineData("PUT", "/a", "")]
    [InlineData("GET", "/nowhere", "")]
    [InlineData("POST", "/host", "DELETE, GET, HEAD", "h.com")]
    [InlineData("POST", "/host", "GET, HEAD", "other.com")]
    public void The_methods_a_path_has_are_listed_for_405(string method, string path, string allowed, string host = "")
    {
        Add("GET /a/b", "POST /a/{x}", "HEAD /a/c", "PATCH /a/{x}", "POST /only/post", "PUT /sub/");
        Add("GET /host", "DELETE h.com/host");

        RouteOutcome outcome = Match(method, host, path, out string? value);

        Assert.Equal(allowed.Length == 0 ? RouteOutcome.NotFound : RouteOutcome.MethodNotAllowed, outcome);
        Assert.Equal(allowed, string.Join(", ", _match.AllowedMethods));
        Assert.Null(value);
        Assert.Null(_match.Pattern);
    }

    [Theory]
    // The subtree without its slash, also where a wider pattern would match.
    [InlineData("GET", "/tree", "/tree/", "/tree/")]
    [InlineData("POST", "/tree", "/tree/", "/tree/")]
    [InlineData("GET", "/x/y/named", "/x/y/named/", "/x/{any}/named/{rest...}")]
    [InlineData("GET", "/dollar", "/dollar/", "/dollar/{$}")]
    [InlineData("GET", "/tr%65e", "/tr%65e/", "/tree/")]
    // Unclean paths, with or without something there.
    [InlineData("GET", "//tree/", "/tree/", "/tree/")]
    [InlineData("GET", "/tree/../leaf", "/leaf", "/leaf")]
    [InlineData("GET", "/./tree/x/.", "/tree/x", "/tree/")]
    [InlineData("GET", "/x/..//tree", "/tree/", "/tree/")]
    [InlineData("GET", "", "/", "/")]
    [InlineData("GET", "leaf", "/leaf", "/leaf")]
    [InlineData("GET", "//evil.com", "/evil.com", "/")]
    // What may not stand in a path is escaped, what is escaped stays.
    [InlineData("GET", "//\\evil.com/%2F%41%", "/%5Cevil.com/%2F%41%", "/")]
    [InlineData("GET", "/./é\"", "/%C3%A9%22", "/")]
    // A pattern that escapes its dots or has an empty segment does not make the path a clean one.
    [InlineData("GET", "/a/..", "/", "/")]
    [InlineData("GET", "/a//b", "/a/b", "/")]
    // CONNECT is not cleaned, but gets its slash.
    [InlineData("CONNECT", "/tree", "/tree/", "/tree/")]
    [InlineData("CONNECT", "//odd", "/odd/", "CONNECT //odd/")]
    public void Redirects(string method, string path, string location, string pattern)
    {
        Add("/", "/tree/", "/leaf", "/x/{any}/named/{rest...}", "/dollar/{$}", "CONNECT //odd/", "/a/%2e%2E", "/a//b");

        Assert.Equal(RouteOutcome.Redirect, Match(method, "", path, out string? value));

        Assert.Equal(location, _match.RedirectPath);
        Assert.Equal(pattern, _match.Pattern?.Text);
        Assert.Null(value);
        Assert.Equal(0, _match.Count);
    }

    [Fact]
    public void Redirects_to_the_clean_path_even_if_nothing_is_there()
    {
        Add("/a");

        Assert.Equal(RouteOutcome.Redirect, Match("GET", "", "/x//y", out _));
        Assert.Equal("/x/y", _match.RedirectPath);
        Assert.Null(_match.Pattern);
        Assert.Equal(307, RoutingTree<string>.RedirectStatusCode);
    }

    [Theory]
    [InlineData("GET", "/tree/x", "/tree/")]
    [InlineData("GET", "/exact", "/exact")]
    [InlineData("GET", "/exact/", "/exact/")]
    [InlineData("GET", "/deep/x", "/")]
    [InlineData("CONNECT", "/a//b/../c", "CONNECT /a//b/../c")]
    [InlineData("CONNECT", "/a//d", "CONNECT /a/{x}/d", "x=")]
    [InlineData("CONNECT", "//", "CONNECT //")]
    [InlineData("CONNECT", "//x", "CONNECT //")]
    [InlineData("CONNECT", "/./", "/")]
    public void Does_not_redirect_what_is_named_or_CONNECT(string method, string path, string pattern, params string[] values)
    {
        Add("/", "/tree/", "/exact", "/exact/", "/deep/x/y/", "CONNECT //", "CONNECT /a//b/../c", "CONNECT /a/{x}/d");

        AssertFound(method, "", path, pattern, values);
    }

    [Theory]
    [InlineData("CONNECT", "")]
    [InlineData("CONNECT", "example.com:443")]
    public void A_CONNECT_without_a_path_matches_nothing(string method, string path)
    {
        Add("/", "CONNECT /a");

        Assert.Equal(RouteOutcome.NotFound, Match(method, "example.com:443", path, out _));
    }

    [Fact]
    public void An_empty_tree_finds_nothing() => Assert.Equal(RouteOutcome.NotFound, Match("GET", "h", "/", out _));

    [Fact]
    public void A_match_leaves_nothing_to_the_next()
    {
        Add("/v/{a}/{b}/{c}", "POST /p", "/tree/");

        AssertFound("GET", "", "/v/1/2/3", "/v/{a}/{b}/{c}", "a=1", "b=2", "c=3");
        Assert.Equal(RouteOutcome.Redirect, Match("GET", "", "/tree", out _));
        Assert.False(_match.TryGetValue("a", "/tree"u8, out string value));
        Assert.Equal("", value);
        Assert.Equal(RouteOutcome.MethodNotAllowed, Match("GET", "", "/p", out _));
        Assert.Null(_match.RedirectPath);
        Assert.Equal(RouteOutcome.NotFound, Match("GET", "", "/q", out _));
        Assert.Empty(_match.AllowedMethods);
    }

    [Fact]
    public void Wildcards_taken_back_leave_no_value_behind()
    {
        Add("/{a}/{b}/{c}/end", "/{x}/{rest...}");

        AssertFound("GET", "", "/1/2/3/other", "/{x}/{rest...}", "x=1", "rest=2/3/other");
    }

    [Fact]
    public void Patterns_can_be_added_after_matching_has_begun()
    {
        Add("/{x}");
        AssertFound("GET", "", "/new", "/{x}", "x=new");

        Add("/new", "h.com/new");

        AssertFound("GET", "", "/new", "/new");
        AssertFound("GET", "h.com", "/new", "h.com/new");
        AssertFound("GET", "", "/old", "/{x}", "x=old");
    }

    [Fact]
    public async Task Readers_see_every_pattern_whose_Add_has_returned()
    {
        const int Patterns = 400;
        int added = 0;
        Task[] readers = [.. Enumerable.Range(0, 3).Select(reader => Task.Run(() =>
        {
            var match = new PathMatch();
            for (int turn = reader; Volatile.Read(ref added) < Patterns; turn++)
            {
                int known = Volatile.Read(ref added);
                if (known == 0)
                    continue;
                string path = $"/n{turn % known}/v";
                Assert.Equal(RouteOutcome.Found, _tree.Match("GET"u8, default, Encoding.UTF8.GetBytes(path), match, out string? value));
                Assert.Equal($"/n{turn % known}/{{x}}", value);
            }
        }))];

        for (int i = 0; i < Patterns; i++)
        {
            Add($"/n{i}/{{x}}");
            Volatile.Write(ref added, i + 1);
        }

        await Task.WhenAll(readers).WaitAsync(TimeSpan.FromMinutes(1));
    }

    private void Add(params string[] patterns)
    {
        foreach (string pattern in patterns)
            _tree.Add(Pattern.Parse(pattern), pattern);
    }

    private RouteOutcome Match(string method, string host, string path, out string? value) =>
        _tree.Match(Encoding.UTF8.GetBytes(method), Encoding.UTF8.GetBytes(host), Encoding.UTF8.GetBytes(path), _match, out value);

    private void AssertFound(string method, string host, string path, string pattern, params string[] values)
    {
        RouteOutcome outcome = Match(method, host, path, out string? value);

        Assert.True(outcome == RouteOutcome.Found, $"{method} {host}{path}: {outcome} {_match.RedirectPath}");
        Assert.Equal(pattern, value);
        Assert.Equal(pattern, _match.Pattern!.Text);
        if (values.Length > 0 || _match.Pattern.WildcardNames.Length == 0)
            Assert.Equal(values, _match.Pattern.WildcardNames.Select(name => $"{name}={Value(name, path)}"));
    }

    private string Value(string name, string path)
    {
        Assert.True(_match.TryGetValue(name, Encoding.UTF8.GetBytes(path), out string value));
        return value;
    }
}
