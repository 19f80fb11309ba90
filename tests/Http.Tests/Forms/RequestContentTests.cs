using System.Text.Json.Serialization;

namespace NetGo.Http.Tests;

/// <summary>Content that is read as JSON or as a form, and what is refused.</summary>
public partial class RequestContentTests
{
    internal sealed record Person(string Name, int Age);

    [JsonSerializable(typeof(Person))]
    internal sealed partial class Contracts : JsonSerializerContext;

    private static TestServer JsonServer(int maxLength = Request.DefaultMaxContentLength) => new(async (response, request) =>
    {
        Person? person = await request.ReadJsonAsync(Contracts.Default.Person, maxLength);
        await response.WriteAsync(person is null ? "null" : $"{person.Name} {person.Age}");
    });

    private static string Post(string type, string content) =>
        $"POST /?q=query&a=query HTTP/1.1\r\nHost: h\r\n{(type.Length > 0 ? $"Content-Type: {type}\r\n" : "")}Content-Length: {content.Length}\r\n\r\n{content}";

    [Theory]
    [InlineData("application/json", "{\"Name\":\"x\",\"Age\":3}", "x 3")]
    [InlineData("application/problem+json; charset=UTF-8", "\u00ef\u00bb\u00bf{\"Name\":\"x\",\"Age\":3}", "x 3")] // after a byte order mark
    [InlineData("application/json; charset=\"utf-8\"", "null", "null")]
    public async Task Json_is_read(string type, string content, string expected)
    {
        await using TestServer server = JsonServer();
        Assert.Equal(expected, server.Exchange(Post(type, content)).Text);
    }

    [Theory]
    [InlineData("", "{}", 415)]
    [InlineData("text/plain", "{}", 415)]
    [InlineData("application/json; charset=utf-16", "{}", 415)]
    [InlineData("application/json\r\nContent-Type: text/plain", "{}", 415)]
    [InlineData("application/json", "", 400)]
    [InlineData("application/json", "{", 400)]
    [InlineData("application/json", "{\"Age\":\"x\"}", 400)]
    [InlineData("application/json", "{} {}", 400)]
    public async Task What_is_not_the_expected_json_is_refused(string type, string content, int status)
    {
        await using TestServer server = JsonServer();
        server.AssertRefused(Post(type, content), status);
    }

    [Fact]
    public async Task The_refusal_says_where_and_names_no_types()
    {
        await using TestServer server = JsonServer();
        RawResponse response = server.Exchange(Post("application/json", "{\n\"Age\":\"x\"}"));
        Assert.Contains("line 2, byte", response.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Person", response.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("Int32", response.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_at_the_limit_is_read_and_longer_is_answered_with_413()
    {
        await using TestServer server = JsonServer(100_000);
        string exact = "{\"Age\":3,\"Name\":\"" + new string('n', 100_000 - 19) + "\"}";
        Assert.Equal(100_000, exact.Length);
        Assert.Equal(200, server.Exchange(Post("application/json", exact)).StatusCode);
        Assert.Equal(200, server.Exchange(Chunked("application/json", exact)).StatusCode);
        server.AssertRefused(Post("application/json", exact + " "), 413);
        server.AssertRefused(Chunked("application/json", exact + " "), 413);
    }

    private static string Chunked(string type, string content) =>
        $"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: {type}\r\nTransfer-Encoding: chunked\r\n\r\n{content.Length:x}\r\n{content}\r\n0\r\n\r\n";

    private const string FormType = "application/x-www-form-urlencoded";

    private static TestServer FormServer(int maxLength = 1000, int maxValues = 10) => new(async (response, request) =>
    {
        NamedValues form = await request.ReadFormAsync(maxLength, maxValues);
        Assert.Same(form, await request.ReadFormAsync());
        await response.WriteAsync(form.Encode());
    });

    [Theory]
    [InlineData("a=1&b=x+y&a=%26", "a=1&b=x+y&a=%26")]
    [InlineData("", "")]
    [InlineData("a=\u00c3\u00a4", "a=%C3%A4")]
    public async Task A_form_is_read(string content, string expected)
    {
        await using TestServer server = FormServer();
        Assert.Equal(expected, server.Exchange(Post(FormType + "; charset=utf-8", content)).Text);
    }

    [Theory]
    [InlineData("", "a=1", 415)]
    [InlineData("text/plain", "a=1", 415)]
    [InlineData(FormType, "a=%4", 400)]
    [InlineData(FormType, "a=1;b=2", 400)]
    public async Task A_form_that_is_none_or_is_malformed_is_refused(string type, string content, int status)
    {
        await using TestServer server = FormServer();
        server.AssertRefused(Post(type, content), status);
    }

    [Fact]
    public async Task A_form_at_its_limits_is_read_and_a_larger_one_is_refused()
    {
        await using TestServer server = FormServer();
        Assert.Equal(200, server.Exchange(Post(FormType, "a=" + new string('x', 998))).StatusCode);
        server.AssertRefused(Post(FormType, "a=" + new string('x', 999)), 413);
        server.AssertRefused(Chunked(FormType, "a=" + new string('x', 999)), 413);
        Assert.Equal(200, server.Exchange(Post(FormType, string.Join('&', Enumerable.Repeat("a=1", 10)))).StatusCode);
        server.AssertRefused(Post(FormType, string.Join('&', Enumerable.Repeat("a=1", 11))), 400);
    }

    [Fact]
    public async Task A_form_goes_before_the_query_and_is_read_only_where_there_is_one()
    {
        await using var server = new TestServer(async (response, request) => await response.WriteAsync(
            $"{await request.FormValueAsync("a")} {await request.FormValueAsync("q")} {await request.PostFormValueAsync("a")} {await request.PostFormValueAsync("q")}"));
        using RawClient client = server.Connect();
        Assert.Equal("form query form ", client.Exchange(Post(FormType, "a=form")).Text);
        Assert.Equal("query query  ", client.Exchange(Post("text/plain", "a=form")).Text);
        Assert.Equal("query query  ", client.Exchange(Post(FormType, "a=form").Replace("POST", "GET", StringComparison.Ordinal)).Text);
    }
}
