using System.Text;

namespace NetGo.Http.Tests;

/// <summary>WithBasicAuth and WithBearerAuth.</summary>
public class AuthenticationTests
{
    private static RawResponse Get(TestServer server, string? authorization) =>
        server.Exchange($"GET / HTTP/1.1\r\nHost: h\r\n{(authorization is null ? "" : $"Authorization: {authorization}\r\n")}\r\n");

    private static string Basic(string text) => "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    [Fact]
    public async Task Only_the_right_name_and_password_pass()
    {
        await using var server = new TestServer(
            new HandlerFunc((response, request) => response.WriteAsync(request.BasicAuth()!.Value.UserName)).WithBasicAuth("a \"b\\", "jürgen", "pass:word"));
        Assert.Equal("jürgen", Encoding.UTF8.GetString(Get(server, Basic("jürgen:pass:word")).Content));
        foreach (string? wrong in (string?[])
            [null, Basic("jürgen:pass:wor"), Basic("jürgen:pass:word "), Basic("jurgen:pass:word"), Basic("jürgen"), "Basic ?", "Bearer a", Basic(":")])
        {
            RawResponse response = Get(server, wrong);
            Assert.Equal(401, response.StatusCode);
            Assert.Equal("Basic realm=\"a \\\"b\\\\\", charset=\"UTF-8\"", response.Get("WWW-Authenticate"));
        }
    }

    [Fact]
    public async Task Only_the_right_token_passes()
    {
        await using var server = new TestServer(new HandlerFunc(Handlers.Ok).WithBearerAuth("api", "abc.def=="));
        Assert.Equal("ok", Get(server, "Bearer abc.def==").Text);
        Assert.Equal("Bearer realm=\"api\"", Get(server, null).Get("WWW-Authenticate"));
        RawResponse wrong = Get(server, "Bearer abc.de");
        Assert.Equal(401, wrong.StatusCode);
        Assert.Equal("Bearer realm=\"api\", error=\"invalid_token\"", wrong.Get("WWW-Authenticate"));
    }

    [Fact]
    public async Task A_function_may_decide()
    {
        await using var server = new TestServer(new HandlerFunc(Handlers.Ok).WithBasicAuth("r", async (name, password, request) =>
        {
            await Task.Yield();
            return request.Path == "/" && name == password;
        }));
        Assert.Equal(200, Get(server, Basic("x:x")).StatusCode);
        Assert.Equal(401, Get(server, Basic("x:y")).StatusCode);
    }

    [Fact]
    public void What_cannot_be_sent_is_refused()
    {
        var ok = new HandlerFunc(Handlers.Ok);
        Assert.Throws<ArgumentException>(() => ok.WithBasicAuth("a\r\nb", "u", "p"));
        Assert.Throws<ArgumentException>(() => ok.WithBasicAuth("a", "u:v", "p"));
        Assert.Throws<ArgumentException>(() => ok.WithBearerAuth("a", ""));
    }
}
