using System.Globalization;

namespace NetGo.Http.Tests;

/// <summary>Forms with files: what is kept where, what is deleted when, and each limit.</summary>
public sealed class MultipartFormTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("netgo-forms-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static string Value(string name, string value) => $"--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n";

    private static string File(string name, string fileName, string content) =>
        $"--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{fileName}\"\r\nContent-Type: text/x\r\n\r\n{content}\r\n";

    private static string Post(string content, string type = "multipart/form-data; boundary=b") =>
        $"POST / HTTP/1.1\r\nHost: h\r\nContent-Type: {type}\r\nContent-Length: {content.Length.ToString(CultureInfo.InvariantCulture)}\r\n\r\n{content}";

    private TestServer Server() => new(async (response, request) =>
    {
        MultipartForm form = await request.ReadMultipartFormAsync(new MultipartLimits
        {
            MaxLength = 100_000,
            MaxParts = 5,
            MaxPartHeaderCount = 3,
            MaxPartHeaderBytes = 500,
            MaxValueBytes = 1000,
            MaxFileMemory = 100,
            TemporaryDirectory = _directory,
        });
        Assert.Same(form, await request.ReadMultipartFormAsync());
        await response.WriteAsync(form.Values.Encode() + "|" + Directory.GetFiles(_directory).Length);
        foreach (UploadedFile file in form.Files)
        {
            using var reader = new StreamReader(file.OpenRead());
            string content = await reader.ReadToEndAsync();
            Assert.Equal(file.Length, content.Length);
            await response.WriteAsync($"|{file.Name} {file.FileName} {file.ContentType} {file.IsTemporaryFile} {content}");
        }
    });

    [Fact]
    public async Task Values_and_files_are_read_and_a_large_file_is_on_disk_until_the_request_ends()
    {
        await using TestServer server = Server();
        using RawClient client = server.Connect();
        string large = new('y', 20_000);
        Assert.Equal($"a=1&a=x+y|1|f small.txt text/x False tiny|g large.txt text/x True {large}",
            client.Exchange(Post(Value("a", "1") + File("f", "small.txt", "tiny") + File("g", "large.txt", large) + Value("a", "x y") + "--b--\r\n")).Text);
        Bounded.Until(() => Directory.GetFiles(_directory).Length == 0, "the temporary file is deleted");
    }

    [Fact]
    public async Task The_temporary_file_is_deleted_when_the_connection_ends_too()
    {
        await using TestServer server = Server();
        string message = Post(File("g", "large.txt", new string('y', 2000)) + "--b--\r\n");
        Assert.Equal(200, server.Exchange(message.Replace("Host: h", "Host: h\r\nConnection: close", StringComparison.Ordinal)).StatusCode);
        Bounded.Until(() => Directory.GetFiles(_directory).Length == 0, "the temporary file is deleted");
    }

    [Theory]
    [InlineData("../../etc/passwd", "passwd")]
    [InlineData("C:\\\\x\\\\evil.exe", "evil.exe")]
    [InlineData("..", "")]
    public async Task A_file_name_has_no_directories(string sent, string expected)
    {
        await using TestServer server = Server();
        Assert.Equal($"|0|f {expected} text/x False c", server.Exchange(Post(File("f", sent, "c") + "--b--\r\n")).Text);
    }

    public static TheoryData<string, int> Refused => new()
    {
        { "", 400 },
        { Value("a", "1"), 400 }, // no last boundary
        { "--b\r\n\r\nx\r\n--b--\r\n", 400 }, // no Content-Disposition
        { "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", 400 },
        { "--b\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--b--\r\n", 400 },
        { string.Concat(Enumerable.Repeat(Value("a", "1"), 6)) + "--b--\r\n", 400 },
        { "--b\r\nA: 1\r\nB: 1\r\nC: 1\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b--\r\n", 400 },
        { "--b\r\nContent-Disposition: form-data; name=a\r\nX: " + new string('x', 500) + "\r\n\r\nx\r\n--b--\r\n", 400 },
        { Value("a", new string('x', 1000)) + "--b--\r\n", 413 },
        { File("f", "f", new string('x', 100_000)) + "--b--\r\n", 413 },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_is_malformed_or_beyond_a_limit_is_refused_and_leaves_no_file(string content, int status)
    {
        await using TestServer server = Server();
        server.AssertRefused(Post(content), status);
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Fact]
    public async Task A_form_that_is_cut_off_after_a_file_has_gone_to_disk_leaves_none()
    {
        await using TestServer server = Server();
        RawResponse response = server.Exchange(Post(File("f", "f", new string('x', 90_000))));
        Assert.Equal(400, response.StatusCode);
        Assert.True(response.HasConnectionClose);
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Fact]
    public async Task The_total_limit_holds_for_chunked_content()
    {
        await using TestServer server = Server();
        string content = File("f", "f", new string('x', 100_000)) + "--b--\r\n";
        server.AssertRefused("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n" +
            $"{content.Length:x}\r\n{content}\r\n0\r\n\r\n", 413);
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Theory]
    [InlineData("multipart/form-data")]
    [InlineData("multipart/mixed; boundary=b")]
    [InlineData("multipart/form-data; boundary=b; boundary=c")]
    [InlineData("multipart/form-data; boundary=\"01234567890123456789012345678901234567890123456789012345678901234567890\"")]
    public async Task Another_type_or_an_unusable_boundary_is_answered_with_415(string type)
    {
        await using TestServer server = Server();
        server.AssertRefused(Post(Value("a", "1") + "--b--\r\n", type), 415);
    }

    [Fact]
    public async Task FormValue_looks_into_it()
    {
        await using var server = new TestServer(async (response, request) => await response.WriteAsync(await request.FormValueAsync("a") ?? "none"));
        Assert.Equal("1", server.Exchange(Post(Value("a", "1") + "--b--\r\n")).Text);
    }
}
