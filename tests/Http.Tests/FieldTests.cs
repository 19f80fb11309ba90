using System.Globalization;
using System.Text;

namespace NetGo.Http.Tests;

/// <summary>RFC 9112, section 5, and RFC 9110, sections 5 and 7.2: field lines, and the Host field.</summary>
public class FieldTests
{
    [Theory]
    [InlineData("X: a", "[a]")]
    [InlineData("X:a", "[a]")]
    [InlineData("X: \t a \t ", "[a]")]
    [InlineData("X:", "[]")]
    [InlineData("X: ", "[]")]
    [InlineData("x: a b\tc", "[a b\tc]")]
    [InlineData("X: a\r\nx: b\r\nY: c\r\nX: d", "[a][b][d]")]
    [InlineData("X: :a:", "[:a:]")]
    [InlineData("!#$%&'*+-.^_`|~09azAZ: a\r\nX: b", "[b]")]
    public async Task Values_reach_the_handler_in_order_and_without_whitespace_around_them(string lines, string expected)
    {
        await using var server = new TestServer(Handlers.Fields);
        Assert.Equal(expected, server.Exchange($"GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\n").Text);
        Assert.Equal(expected, server.Exchange($"GET / HTTP/1.1\r\n{lines}\r\nHost: h\r\n\r\n").Text);
    }

    [Fact]
    public async Task Bytes_above_ASCII_in_a_value_are_Latin_1()
    {
        string? seen = null;
        await using var server = new TestServer((response, request) =>
        {
            seen = request.Header["X"];
            response.Header.Set("X", seen!);
            return default;
        });
        RawResponse response = server.Exchange("GET / HTTP/1.1\r\nHost: h\r\nX: \x80\xe4\xff\r\n\r\n");
        Assert.Equal("\x80\xe4\xff", seen);
        Assert.Equal("\x80\xe4\xff", response.Get("X"));
    }

    [Fact]
    public async Task A_handler_sees_all_fields_in_order()
    {
        await using var server = new TestServer(async (response, request) =>
        {
            foreach (KeyValuePair<string, string> field in request.Header)
                await response.WriteAsync($"{field.Key}={field.Value};");
            await response.WriteAsync(string.Create(CultureInfo.InvariantCulture,
                $"{request.Header.Count} {request.Header.Contains("user-agent")} {request.Header.Contains("Nothing")} {request.Header.Get("ACCEPT")} {request.Header["Nothing"] ?? "null"}"));
        });
        RawResponse response = server.Exchange("GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: u\r\naccept: */*\r\nCookie: a=b\r\nCookie: c=d\r\nZ: z\r\n\r\n");
        Assert.Equal("Host=h;User-Agent=u;accept=*/*;Cookie=a=b;Cookie=c=d;Z=z;6 True False */* null", response.Text);
    }

    [Fact]
    public async Task Fields_of_one_request_are_not_seen_by_the_next()
    {
        await using var server = new TestServer(Handlers.Fields);
        using RawClient client = server.Connect();
        Assert.Equal("[a]", client.Exchange("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n\r\n").Text);
        Assert.Equal("", client.Exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").Text);
    }

    [Theory]
    [InlineData("X : a")] // RFC 9112, section 5.1
    [InlineData("X\t: a")]
    [InlineData("Host : h")]
    [InlineData("Content-Length : 5")]
    [InlineData("Transfer-Encoding : chunked")]
    [InlineData("X: a\r\n b")] // section 5.2, obs-fold
    [InlineData("X: a\r\n\tb")]
    [InlineData("X: a\r\n ")]
    [InlineData(" X: a")]
    [InlineData("\tX: a")]
    [InlineData("X: a\rb")] // section 2.2, bare CR
    [InlineData("X: a\r\r\nY: b")]
    [InlineData("X: a\nY: b")] // a LF alone
    [InlineData("X: a\n\r\nY: b")]
    [InlineData("X: a\n")]
    [InlineData("X: a\0b")]
    [InlineData("X\0: a")]
    [InlineData("X")]
    [InlineData("X;a")]
    [InlineData(": a")]
    [InlineData(":")]
    [InlineData("(X): a")]
    [InlineData("X Y: a")]
    [InlineData("X@Y: a")]
    [InlineData("X/Y: a")]
    [InlineData("\"X\": a")]
    [InlineData("X[]: a")]
    [InlineData("X\x01: a")]
    [InlineData("X\x7f: a")]
    [InlineData("X\xe4: a")]
    public async Task A_malformed_field_line_is_refused(string lines)
    {
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused($"GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\n", 400);
        server.AssertRefused($"GET / HTTP/1.1\r\n{lines}\r\nHost: h\r\n\r\n", 400);
    }

    [Fact]
    public async Task A_line_that_begins_with_whitespace_before_the_first_field_is_refused()
    {
        // RFC 9112, section 2.2.
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused("GET / HTTP/1.1\r\n Host: evil\r\nHost: h\r\n\r\n", 400);
    }

    [Fact]
    public async Task No_byte_of_a_value_hides_from_the_check_wherever_it_stands()
    {
        // A parser that looks at 16, 32 or 64 bytes at a time has its edges there.
        await using var server = new TestServer(Handlers.Ok);
        for (int position = 0; position < 70; position++)
        {
            foreach (char character in "\0\r\n")
            {
                var value = new StringBuilder(new string('v', 70)) { [position] = character };
                using RawClient client = server.Connect();
                client.SendAnyway($"GET / HTTP/1.1\r\nHost: h\r\nX: {value}\r\n\r\n");
                RawResponse response = client.ReadResponse();
                Assert.True(response.StatusCode == 400, $"{(int)character} at {position}: {response.StatusCode}");
            }
        }
    }

    [Fact]
    public async Task No_byte_of_a_name_hides_from_the_check_wherever_it_stands()
    {
        await using var server = new TestServer(Handlers.Ok);
        for (int position = 0; position < 70; position++)
        {
            foreach (char character in "\0\r\n (\x7f\xff")
            {
                var name = new StringBuilder(new string('N', 70)) { [position] = character };
                using RawClient client = server.Connect();
                client.SendAnyway($"GET / HTTP/1.1\r\nHost: h\r\n{name}: v\r\n\r\n");
                RawResponse response = client.ReadResponse();
                Assert.True(response.StatusCode == 400, $"{(int)character} at {position}: {response.StatusCode}");
            }
        }
    }

    [Theory]
    [InlineData("example.com")]
    [InlineData("example.com:8080")]
    [InlineData("example.com:")]
    [InlineData("127.0.0.1:80")]
    [InlineData("[::1]")]
    [InlineData("[2001:db8::1]:8080")]
    [InlineData("a_b-c.d~e")]
    [InlineData("xn--bcher-kva.example")]
    [InlineData("EXAMPLE.com")]
    [InlineData("")] // RFC 9112, section 3.2: an empty value where the target has no authority
    public async Task A_valid_Host_is_served(string host)
    {
        await using var server = new TestServer((response, request) => response.WriteAsync(request.Host));
        RawResponse response = server.Exchange($"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        Assert.Equal(200, response.StatusCode);
        Assert.Equal(host, response.Text);
    }

    [Theory]
    [InlineData("Host: a b")]
    [InlineData("Host: a/b")]
    [InlineData("Host: a?b")]
    [InlineData("Host: a#b")]
    [InlineData("Host: user@a")]
    [InlineData("Host: a\\b")]
    [InlineData("Host: a\tb")]
    [InlineData("Host: a<b")]
    [InlineData("Host: \xe4")]
    [InlineData("Host: [::1")]
    [InlineData("Host: ::1")]
    [InlineData("Host: [::1]x")]
    [InlineData("Host: a:b")]
    [InlineData("Host: a:80:80")]
    [InlineData("Host: a:-1")]
    [InlineData("Host: http://a/")]
    [InlineData("Host: a\r\nHost: a")] // RFC 9112, section 3.2: more than one Host field line
    [InlineData("Host: a\r\nhost: b")]
    [InlineData("Host: a\r\nX: b\r\nHOST:")]
    [InlineData("X: none")]
    public async Task A_missing_or_repeated_or_invalid_Host_is_refused(string lines)
    {
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused($"GET / HTTP/1.1\r\n{lines}\r\n\r\n", 400);
    }

    [Fact]
    public async Task A_request_without_any_field_lacks_its_Host()
    {
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused("GET / HTTP/1.1\r\n\r\n", 400);
    }

    [Fact]
    public async Task A_request_of_HTTP_1_0_needs_no_Host()
    {
        await using var server = new TestServer((response, request) => response.WriteAsync("<" + request.Host + ">" + request.Protocol));
        RawResponse response = server.Exchange("GET / HTTP/1.0\r\n\r\n");
        Assert.Equal(200, response.StatusCode);
        Assert.Equal("<>HTTP/1.0", response.Text);
    }

    [Fact]
    public async Task A_repeated_or_invalid_Host_is_refused_in_HTTP_1_0_too()
    {
        await using var server = new TestServer(Handlers.Ok);
        server.AssertRefused("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400);
        server.AssertRefused("GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", 400);
    }
}
