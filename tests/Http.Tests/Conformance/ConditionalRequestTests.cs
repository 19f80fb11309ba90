using System.Globalization;
using System.Text;

namespace NetGo.Http.Tests;

/// <summary>Preconditions of RFC 9110, section 13, and the fields and dates that they stand on.</summary>
public class ConditionalRequestTests
{
    private const string Content = "0123456789a";
    private static readonly DateTimeOffset s_modified = new(2024, 5, 6, 7, 8, 9, TimeSpan.Zero);

    private static TestServer Serve(DateTimeOffset? modified, string? tag = "\"v1\"", Action<HeaderFields>? set = null) => new(async (response, request) =>
    {
        if (tag is not null)
            response.Header.Set("ETag", tag);
        set?.Invoke(response.Header);
        using var stream = new MemoryStream(Encoding.ASCII.GetBytes(Content));
        await response.ServeContentAsync(request, "a.txt", modified, stream);
    });

    private static string Request(string fields, string method = "GET", string target = "/") =>
        $"{method} {target} HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n";

    private static string Imf(DateTimeOffset time) => time.UtcDateTime.ToString("r", CultureInfo.InvariantCulture);

    private static string Rfc850(DateTime time) => time.ToString("dddd, dd-MMM-yy HH:mm:ss 'GMT'", CultureInfo.InvariantCulture);

    private static DateTime Time(string? imf) => DateTime.ParseExact(
        imf!, "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);

    [Fact]
    public async Task A_year_of_two_digits_is_never_more_than_50_years_ahead()
    {
        // RFC 9110, section 5.6.7.
        await using TestServer server = Serve(s_modified);
        var middle = new DateTime(DateTime.UtcNow.Year, 6, 15, 12, 0, 0, DateTimeKind.Utc);
        Assert.Equal(412, server.Exchange(Request("If-Unmodified-Since: " + Rfc850(middle.AddYears(51 - 100)))).StatusCode);
        Assert.Equal(304, server.Exchange(Request("If-Modified-Since: " + Rfc850(middle.AddYears(49)))).StatusCode);
        Assert.Equal(304, server.Exchange(Request("If-Modified-Since: " + Rfc850(middle.AddYears(10)))).StatusCode);
        Assert.Equal(412, server.Exchange(Request("If-Unmodified-Since: " + Rfc850(middle.AddYears(-40)))).StatusCode);
    }

    [Theory]
    [InlineData("If-Modified-Since: Mon, 06 May 2024 07:08:09 GMT\r\nIf-Modified-Since: Mon, 06 May 2024 07:08:09 GMT", 200)] // several members
    [InlineData("If-Modified-Since: Mon, 06 May 2024 07:08:09 GMT, Mon, 06 May 2024 07:08:09 GMT", 200)]
    [InlineData("If-Modified-Since: Mon, 06 May 2024 07:08:09", 200)]
    [InlineData("If-Modified-Since: Mon,  06 May 2024 07:08:09 GMT", 200)]
    [InlineData("If-Modified-Since: 2024-05-06T07:08:09Z", 200)]
    [InlineData("If-Modified-Since: 99999999999", 200)]
    [InlineData("If-Modified-Since:", 200)]
    [InlineData("If-Unmodified-Since: Mon, 06 May 2024 07:08:08 GMT, Mon, 06 May 2024 07:08:08 GMT", 200)] // a list of dates
    [InlineData("If-Unmodified-Since: Mon, 06 May 2024 07:08:08 GMT\r\nIf-Unmodified-Since: Mon, 06 May 2024 07:08:08 GMT", 200)]
    [InlineData("If-Unmodified-Since: 0", 200)]
    public async Task Dates_that_are_none_or_several_are_ignored(string fields, int status)
    {
        // RFC 9110, sections 13.1.3 and 13.1.4.
        await using TestServer server = Serve(s_modified);
        Assert.Equal(status, server.Exchange(Request(fields)).StatusCode);
    }

    [Theory]
    [InlineData("If-Modified-Since")]
    [InlineData("If-Unmodified-Since")]
    public async Task Without_a_date_of_modification_dates_are_ignored(string name)
    {
        // RFC 9110, sections 13.1.3 and 13.1.4.
        await using TestServer server = Serve(null);
        Assert.Equal(200, server.Exchange(Request($"{name}: {Imf(s_modified)}")).StatusCode);
        Assert.Equal(200, server.Exchange(Request($"{name}: {Imf(DateTimeOffset.UtcNow.AddYears(1))}")).StatusCode);
    }

    [Theory]
    [InlineData("If-None-Match: , \"a\",, \"v1\" ,", 304)]
    [InlineData("If-None-Match:\r\nIf-None-Match: \"v1\"", 304)]
    [InlineData("If-None-Match: \"a,\\\", \"v1\"", 304)] // a backslash is an ordinary character there, and so is a comma
    [InlineData("If-None-Match: \"\xe4\",\"v1\"", 304)]
    [InlineData("If-None-Match: ,\"a\"", 200)]
    [InlineData("If-Match: ,\"a\",,W/\"v1\",", 412)]
    [InlineData("If-Match: ,\"a\",,\"v1\",", 200)]
    [InlineData("If-None-Match: \"V1\"", 200)]
    [InlineData("If-None-Match: w/\"v1\"", 200)] // W/ is case-sensitive: no tag
    public async Task Lists_of_tags_are_read_with_their_empty_members(string fields, int status)
    {
        // RFC 9110, sections 5.6.1.2, 8.8.3, 13.1.1 and 13.1.2.
        await using TestServer server = Serve(s_modified);
        Assert.Equal(status, server.Exchange(Request(fields)).StatusCode);
    }

    [Fact]
    public async Task A_tag_that_is_weak_never_satisfies_If_Match()
    {
        // RFC 9110, section 13.1.1.
        await using TestServer server = Serve(s_modified, "W/\"v1\"");
        Assert.Equal(412, server.Exchange(Request("If-Match: W/\"v1\"")).StatusCode);
        Assert.Equal(412, server.Exchange(Request("If-Match: \"v1\"")).StatusCode);
        Assert.Equal(200, server.Exchange(Request("If-Match: *")).StatusCode);
        Assert.Equal(304, server.Exchange(Request("If-None-Match: \"v1\"")).StatusCode);
        Assert.Equal(200, server.Exchange(Request("Range: bytes=0-1\r\nIf-Range: W/\"v1\"")).StatusCode);
    }

    [Theory]
    [InlineData("OPTIONS")]
    [InlineData("TRACE")]
    public async Task Methods_that_select_no_representation_have_no_preconditions(string method)
    {
        // RFC 9110, section 13.2.1.
        await using TestServer server = Serve(s_modified);
        Assert.Equal(200, server.Exchange(Request("If-Match: \"a\"", method)).StatusCode);
        Assert.Equal(200, server.Exchange(Request("If-None-Match: *", method)).StatusCode);
        Assert.Equal(200, server.Exchange(Request("If-Unmodified-Since: " + Imf(s_modified.AddDays(-1)), method)).StatusCode);
    }

    [Theory]
    [InlineData("GET", "/none.txt", 404)]
    [InlineData("POST", "/a.txt", 405)]
    [InlineData("GET", "/dir", 301)]
    [InlineData("GET", "/a%00.txt", 400)]
    public async Task What_would_not_be_2xx_has_no_preconditions(string method, string target, int status)
    {
        // RFC 9110, section 13.2.1.
        using FileTree tree = new FileTree().With("a.txt").With("dir/index.html");
        await using var server = new TestServer(NetGo.Http.Handlers.FileServer(tree.Root));
        foreach (string condition in new[] { "If-None-Match: *", "If-Match: \"a\"", "If-Unmodified-Since: " + Imf(s_modified.AddYears(-1)) })
            Assert.Equal(status, server.Exchange(Request(condition + "\r\nContent-Length: 0", method, target)).StatusCode);
    }

    [Fact]
    public async Task A_date_of_modification_is_never_later_than_Date()
    {
        // RFC 9110, section 8.8.2.1.
        await using TestServer server = Serve(DateTimeOffset.UtcNow.AddDays(2));
        RawResponse response = server.Exchange(Request("X: y"));
        Assert.Equal(200, response.StatusCode);
        if (response.Get("Last-Modified") is { } modified)
            Assert.True(Time(modified) <= Time(response.Get("Date")), modified);

        using FileTree tree = new FileTree().With("a.txt");
        File.SetLastWriteTimeUtc(tree.Path("a.txt"), DateTime.UtcNow.AddDays(2));
        await using var files = new TestServer(NetGo.Http.Handlers.FileServer(tree.Root));
        RawResponse file = files.Exchange(Request("X: y", target: "/a.txt"));
        Assert.Equal(200, file.StatusCode);
        if (file.Get("Last-Modified") is { } changed)
            Assert.True(Time(changed) <= Time(file.Get("Date")), changed);
    }

    [Fact]
    public async Task A_304_has_the_fields_that_the_200_would_have()
    {
        // RFC 9110, section 15.4.5.
        string[] names = ["Cache-Control", "Content-Location", "ETag", "Expires", "Vary"];
        await using TestServer server = Serve(s_modified, set: header =>
        {
            header.Set("Cache-Control", "max-age=5");
            header.Set("Content-Location", "/other");
            header.Set("Expires", "Tue, 07 May 2024 07:08:09 GMT");
            header.Set("Vary", "Accept");
        });
        RawResponse whole = server.Exchange(Request("X: y"));
        RawResponse none = server.Exchange(Request("If-None-Match: \"v1\""));
        Assert.Equal(304, none.StatusCode);
        Assert.All(names, name => Assert.Equal(whole.Get(name), none.Get(name)));
        Assert.All(names, name => Assert.NotNull(none.Get(name)));
        Assert.NotNull(none.Get("Date"));
    }

    [Fact]
    public async Task A_precondition_that_is_false_keeps_the_method_from_being_performed()
    {
        // RFC 9110, sections 13.1.1, 13.1.2 and 13.1.4: no byte of the content, and for others than GET and HEAD 412.
        await using TestServer server = Serve(s_modified);
        foreach (string condition in new[] { "If-Match: \"a\"", "If-None-Match: \"v1\"", "If-Unmodified-Since: " + Imf(s_modified.AddSeconds(-1)) })
        {
            foreach (string method in new[] { "GET", "PUT", "DELETE" })
            {
                RawResponse response = server.Exchange(Request(condition + "\r\nContent-Length: 0", method));
                Assert.Equal(condition.StartsWith("If-None", StringComparison.Ordinal) && method == "GET" ? 304 : 412, response.StatusCode);
                Assert.DoesNotContain(Content, response.Text, StringComparison.Ordinal);
            }
        }
    }
}
