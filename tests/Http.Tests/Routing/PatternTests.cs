using System.Text;

namespace NetGo.Http.Tests.Routing;

public class PatternTests
{
    [Theory]
    [InlineData("/", "", "", "/...")]
    [InlineData("/a", "", "", "/a")]
    [InlineData("/a/", "", "", "/a /...")]
    [InlineData("/path/to/something", "", "", "/path /to /something")]
    [InlineData("/{x}", "", "", "/{x}")]
    [InlineData("/{w1}/lit/{w2}", "", "", "/{w1} /lit /{w2}")]
    [InlineData("/a/{x}/b/{y...}", "", "", "/a /{x} /b /{y...}")]
    [InlineData("/{$}", "", "", "/$")]
    [InlineData("/a/{$}", "", "", "/a /$")]
    [InlineData("/{名前}/{_1}", "", "", "/{名前} /{_1}")]
    [InlineData("GET /a", "GET", "", "/a")]
    [InlineData("get /a", "get", "", "/a")]
    [InlineData("M-SEARCH \t  /a", "M-SEARCH", "", "/a")]
    [InlineData(" /a", "", "", "/a")]
    [InlineData("example.com/", "", "example.com", "/...")]
    [InlineData("DELETE Example.COM/{foo...}", "DELETE", "example.com", "/{foo...}")]
    [InlineData("[::1]/a", "", "[::1]", "/a")]
    [InlineData("//", "", "", "/ /...")]
    [InlineData("CONNECT /a//../b", "CONNECT", "", "/a / /.. /b")]
    [InlineData("/a}/...", "", "", "/a} /...")]
    [InlineData("/a%62c", "", "", "/abc")]
    [InlineData("/x%2Fy/%7Bid%7D", "", "", "/x/y /{id}")]
    [InlineData("/%zz/100%", "", "", "/%zz /100%")]
    [InlineData("/caf%C3%A9", "", "", "/café")]
    public void Reads_method_host_and_path(string text, string method, string host, string path)
    {
        Pattern pattern = Pattern.Parse(text);

        Assert.Equal(method, pattern.Method);
        Assert.Equal(host, pattern.Host);
        Assert.Equal(path, string.Join(' ', pattern.Segments.Select(Show)));
        Assert.Equal(text, pattern.ToString());
    }

    [Fact]
    public void Names_its_wildcards_in_order_but_not_its_last_slash()
    {
        Assert.Equal(["b", "a", "rest"], Pattern.Parse("/{b}/x/{a}/{rest...}").WildcardNames);
        Assert.Equal(["b"], Pattern.Parse("/{b}/").WildcardNames);
        Assert.Empty(Pattern.Parse("/a/{$}").WildcardNames);
    }

    [Theory]
    [InlineData("", 0, "no path")]
    [InlineData("GET", 3, "no path")]
    [InlineData("GET ", 4, "no path")]
    [InlineData("example.com", 11, "no path")]
    [InlineData("G@T /", 1, "'@' cannot be in a method")]
    [InlineData("/a b", 0, "'/' cannot be in a method")]
    [InlineData("GET POST /", 8, "no blanks")]
    [InlineData("{host}/a", 0, "no wildcards")]
    [InlineData("{x}", 3, "no path")]
    [InlineData("GET ex{x}ample.com/a", 6, "no wildcards")]
    [InlineData("exa\"mple.com/", 3, "cannot be in a host")]
    [InlineData("müller.de/", 1, "xn--")]
    [InlineData("example.com:8080/", 11, "port")]
    [InlineData("GET [::1]:80/", 5, "port")]
    [InlineData("::1/", 0, "brackets")]
    [InlineData("/w{x}", 2, "whole segment")]
    [InlineData("/{x}w", 5, "whole segment")]
    [InlineData("/a/{x", 5, "ends with '}'")]
    [InlineData("/{", 2, "ends with '}'")]
    [InlineData("/{}", 1, "needs a name")]
    [InlineData("/{...}", 1, "needs a name")]
    [InlineData("/{$}/a", 1, "only at the end")]
    [InlineData("/{$}/", 1, "only at the end")]
    [InlineData("/{$...}", 2, "wildcard's name")]
    [InlineData("/{a...}/b", 1, "only at its end")]
    [InlineData("/{a...}/", 1, "only at its end")]
    [InlineData("/{1a}", 2, "wildcard's name")]
    [InlineData("/{a-b}", 2, "wildcard's name")]
    [InlineData("/{a b}", 0, "'/' cannot be in a method")]
    [InlineData("/{a{b}}", 2, "wildcard's name")]
    [InlineData("/{id...x}", 2, "wildcard's name")]
    [InlineData("/{x}/a/{x}", 8, "another")]
    [InlineData("/{x}/{x...}", 6, "another")]
    [InlineData("GET //", 4, "write /.")]
    [InlineData("GET example.com/a/../b", 15, "write /b.")]
    [InlineData("POST /a/./b/", 5, "write /a/b/.")]
    public void Refuses_what_is_no_pattern_and_says_where(string text, int offset, string problem)
    {
        FormatException error = Assert.Throws<FormatException>(() => Pattern.Parse(text));

        Assert.Contains($"\"{text}\" is wrong at offset {offset}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_a_host_longer_than_any_name() =>
        Assert.Throws<FormatException>(() => Pattern.Parse(new string('h', 256) + "/"));

    [Fact]
    public void Refuses_null() => Assert.Throws<ArgumentNullException>(() => Pattern.Parse(null!));

    private static string Show(PatternSegment segment) => segment.Kind switch
    {
        SegmentKind.Literal => "/" + Encoding.UTF8.GetString(segment.Literal),
        SegmentKind.Wildcard => $"/{{{segment.Name}}}",
        SegmentKind.TrailingSlash => "/$",
        _ => segment.Name.Length == 0 ? "/..." : $"/{{{segment.Name}...}}",
    };
}
