using System.Text;

namespace NetGo.Http.Tests;

/// <summary>The file server on the wire: what it serves, and what never.</summary>
public class FileServerTests
{
    private static string Get(string target, string fields = "") => $"GET {target} HTTP/1.1\r\nHost: h\r\n{fields}\r\n";

    private static TestServer Serve(FileTree tree, Action<FileServerOptions>? configure = null)
    {
        var options = new FileServerOptions();
        configure?.Invoke(options);
        return new TestServer(NetGo.Http.Handlers.FileServer(tree.Root, options));
    }

    [Fact]
    public async Task A_file_has_its_content_type_and_validators_and_Head_the_same_fields()
    {
        using FileTree tree = new FileTree().With("a b.css");
        await using TestServer server = Serve(tree, options => options.CacheControl = "max-age=60");
        using RawClient client = server.Connect();
        RawResponse response = client.Exchange(Get("/a%20b.css"));
        Assert.Equal(200, response.StatusCode);
        Assert.Equal("0123456789a", response.Text);
        Assert.Equal("text/css; charset=utf-8", response.Get("Content-Type"));
        Assert.Equal("Mon, 06 May 2024 07:08:09 GMT", response.Get("Last-Modified"));
        Assert.Equal("bytes", response.Get("Accept-Ranges"));
        Assert.Equal("nosniff", response.Get("X-Content-Type-Options"));
        Assert.Equal("max-age=60", response.Get("Cache-Control"));
        Assert.StartsWith("\"", response.Get("ETag"), StringComparison.Ordinal);
        RawResponse head = client.Exchange("HEAD /a%20b.css HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\n\r\n");
        Assert.Equal(200, head.StatusCode);
        Assert.Equal("11", head.Get("Content-Length"));
        Assert.Equal(response.Get("ETag"), head.Get("ETag"));
    }

    [Fact]
    public async Task Other_methods_get_405_with_Allow()
    {
        using FileTree tree = new FileTree().With("a.txt");
        await using TestServer server = Serve(tree);
        RawResponse response = server.Exchange("POST /a.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
        Assert.Equal(405, response.StatusCode);
        Assert.Equal("GET, HEAD", response.Get("Allow"));
    }

    [Fact]
    public async Task Types_come_from_the_option_the_table_or_the_first_bytes()
    {
        using FileTree tree = new FileTree().With("a.icecream").With("noext", "<html> x").With("empty", "");
        await using TestServer server = Serve(tree, options => options.ContentTypes[".IceCream"] = "icecream/chocolate");
        Assert.Equal("icecream/chocolate", server.Exchange(Get("/a.icecream")).Get("Content-Type"));
        Assert.Equal("text/html; charset=utf-8", server.Exchange(Get("/noext")).Get("Content-Type"));
        RawResponse empty = server.Exchange(Get("/empty", "Range: bytes=0-9\r\n"));
        Assert.Equal(200, empty.StatusCode);
        Assert.Equal("0", empty.Get("Content-Length"));
    }

    [Theory]
    [InlineData("/dir", 301, "dir/")]
    [InlineData("/dir?q=1", 301, "dir/?q=1")]
    [InlineData("/dir/index.html", 301, "./")]
    [InlineData("/dir/f.txt/", 301, "../f.txt")]
    [InlineData("/dir/", 200, null)]
    [InlineData("//dir//f.txt", 200, null)]
    [InlineData("/none", 404, null)]
    [InlineData("/list/", 404, null)]
    [InlineData("/dir/f.txt/x", 404, null)]
    public async Task Directories_are_redirected_to_and_served_by_their_index(string target, int status, string? location)
    {
        using FileTree tree = new FileTree().With("dir/index.html", "index").With("dir/f.txt").With("list/f.txt");
        await using TestServer server = Serve(tree);
        RawResponse response = server.Exchange(Get(target));
        Assert.Equal(status, response.StatusCode);
        Assert.Equal(location, response.Get("Location"));
    }

    [Theory]
    [InlineData("/../secret.txt", 400)]
    [InlineData("/%2e%2e/secret.txt", 400)]
    [InlineData("/sub/..%2f..%2fsecret.txt", 400)]
    [InlineData("/..%5csecret.txt", 400)]
    [InlineData("/..\\secret.txt", 400)]
    [InlineData("/a.txt%00", 400)]
    [InlineData("/%ff", 400)]
    [InlineData("/a%2", 400)]
    [InlineData("/sub/%2e/a.txt", 400)]
    [InlineData("/C:/a.txt", 404)]
    [InlineData("/a.txt::$DATA", 404)]
    [InlineData("/nul", 404)]
    [InlineData("/sub/COM1.txt", 404)]
    [InlineData("/a.txt.", 404)]
    [InlineData("/.env", 404)]
    [InlineData("/.git/config", 404)]
    [InlineData("/sub/.well-known/x", 404)]
    [InlineData("/out.txt", 404)]
    [InlineData("/outdir/secret.txt", 404)]
    [InlineData("/in.txt", 200)]
    [InlineData("/in-absolute.txt", 200)]
    [InlineData("/.well-known/x", 200)]
    [InlineData("/fifo", 404)]
    [InlineData("/socket", 404)]
    [InlineData("/loop", 404)]
    public async Task Nothing_but_the_files_of_the_root_is_served(string target, int status)
    {
        using FileTree tree = new FileTree().With("a.txt").With("sub/a.txt").With(".env").With(".git/config").With(".well-known/x")
            .With("sub/.well-known/x").With("C:/a.txt").With("nul").With("sub/COM1.txt").With("a.txt.").With("a.txt::$DATA");
        tree.Link("out.txt", "../secret.txt");
        tree.Link("outdir", "..");
        tree.Link("in.txt", "sub/../a.txt");
        tree.Link("in-absolute.txt", tree.Path("a.txt"));
        tree.Link("loop", "loop");
        tree.Fifo("fifo");
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, 0);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(tree.Path("socket")));
        foreach (bool linux in new[] { true, false })
        {
            await using var server = new TestServer(new FileServer(tree.Root, new FileServerOptions(), usesLinuxCalls: linux && LinuxFiles.Works));
            using RawClient client = server.Connect();
            client.SendAnyway(Get(target));
            RawResponse response = client.ReadResponse();
            Assert.Equal(status, response.StatusCode);
            Assert.DoesNotContain(FileTree.Secret, response.Text, StringComparison.Ordinal);
        }
        Bounded.Until(() => tree.OpenHandles() == 0, "all handles are closed");
    }

    [Fact]
    public async Task Options_open_what_is_closed()
    {
        using FileTree tree = new FileTree().With(".env").With("nul");
        tree.Link("out.txt", "../secret.txt");
        await using TestServer server = Serve(tree, options =>
        {
            options.ServeDotFiles = true;
            options.FollowLinksOutside = true;
            options.ServeReservedNames = true;
        });
        Assert.Equal(200, server.Exchange(Get("/.env")).StatusCode);
        Assert.Equal(FileTree.Secret, server.Exchange(Get("/out.txt")).Text);
        Assert.Equal(200, server.Exchange(Get("/nul")).StatusCode);
    }

    [Fact]
    public async Task A_root_that_is_a_link_is_followed_anew_for_each_request()
    {
        using FileTree tree = new FileTree().With("1/a.txt", "one").With("2/a.txt", "two");
        tree.Link("current", "1");
        await using var server = new TestServer(NetGo.Http.Handlers.FileServer(tree.Path("current")));
        Assert.Equal("one", server.Exchange(Get("/a.txt")).Text);
        File.Delete(tree.Path("current"));
        tree.Link("current", "2");
        Assert.Equal("two", server.Exchange(Get("/a.txt")).Text);
    }

    [Fact]
    public async Task A_link_that_is_switched_all_the_time_never_leads_out()
    {
        using FileTree tree = new FileTree().With("a.txt", "inside");
        await using TestServer server = Serve(tree);
        using var stop = new CancellationTokenSource();
        Task switching = Task.Run(() =>
        {
            for (int i = 0; !stop.IsCancellationRequested; i++)
            {
                string made = tree.Path("made" + i);
                File.CreateSymbolicLink(made, i % 2 == 0 ? "a.txt" : "../secret.txt");
                File.Move(made, tree.Path("link"), overwrite: true);
            }
        });
        using RawClient client = server.Connect();
        for (int i = 0; i < 2000; i++)
            Assert.DoesNotContain(FileTree.Secret, client.Exchange(Get("/link")).Text, StringComparison.Ordinal);
        await stop.CancelAsync();
        await switching.Within();
    }

    [Fact]
    public async Task A_listing_is_sorted_escaped_limited_and_without_hidden_names()
    {
        using FileTree tree = new FileTree().With("b").With("a/x").With(".hidden").With("\"'<&%.txt").With("d");
        await using TestServer server = Serve(tree, options =>
        {
            options.ListDirectories = true;
            options.ServeReservedNames = true;
        });
        RawResponse response = server.Exchange(Get("/"));
        Assert.Equal("text/html; charset=utf-8", response.Get("Content-Type"));
        Assert.Contains("<a href=\"%22%27%3C%26%25.txt\">&quot;&#39;&lt;&amp;%.txt</a>\n<a href=\"a/\">a/</a>\n<a href=\"b\">b</a>\n<a href=\"d\">d</a>\n",
            response.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("hidden", response.Text, StringComparison.Ordinal);
        Assert.Equal(200, server.Exchange(Get("/%22%27%3C%26%25.txt")).StatusCode);
        await using TestServer limited = Serve(tree, options => (options.ListDirectories, options.MaxListedNames) = (true, 1));
        Assert.Contains("and more", limited.Exchange(Get("/")).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("br, gzip", "br", "BROTLI")]
    [InlineData("br;q=0.5, gzip", "gzip", "GZIP")]
    [InlineData("gzip;q=0, *", "br", "BROTLI")]
    [InlineData("deflate", null, "plain")]
    [InlineData("identity, gzip;q=0.5", null, "plain")]
    [InlineData(null, null, "plain")]
    public async Task A_precompressed_file_is_sent_to_who_accepts_it(string? accepted, string? coding, string content)
    {
        using FileTree tree = new FileTree().With("a.js", "plain").With("a.js.br", "BROTLI").With("a.js.gz", "GZIP");
        await using TestServer server = Serve(tree, options => options.ServePrecompressed = true);
        RawResponse response = server.Exchange(Get("/a.js", accepted is null ? "" : $"Accept-Encoding: {accepted}\r\n"));
        Assert.Equal(coding, response.Get("Content-Encoding"));
        Assert.Equal(content, response.Text);
        Assert.Equal("text/javascript; charset=utf-8", response.Get("Content-Type"));
        Assert.Equal("Accept-Encoding", response.Get("Vary"));
        Assert.Equal(coding is not null, response.Get("ETag")!.EndsWith($"-{coding}\"", StringComparison.Ordinal) && coding is not null);
    }

    [Fact]
    public async Task A_file_that_becomes_shorter_breaks_the_connection_and_no_handle_stays_open()
    {
        using FileTree tree = new FileTree().With("big.bin", new string('x', 20_000_000));
        await using TestServer server = Serve(tree);
        using (RawClient client = server.Connect(receiveBufferSize: 4096))
        {
            client.Send(Get("/big.bin"));
            client.ReadExactly(1000, out _);
            using (FileStream file = File.OpenWrite(tree.Path("big.bin")))
                file.SetLength(10);
            Assert.True(client.ReadToEnd().Length < 20_000_000);
        }
        Bounded.Until(() => tree.OpenHandles() == 0, "the file's handle is closed");
        Assert.Equal(200, server.Exchange(Get("/big.bin")).StatusCode);
        Bounded.Until(() => tree.OpenHandles() == 0, "the file's handle is closed");
    }

    [Fact]
    public async Task ServeFile_serves_the_file_that_the_program_names()
    {
        using FileTree tree = new FileTree().With("a.json", "{}");
        await using var server = new TestServer((response, request) =>
            response.ServeFileAsync(request, request.Path == "/none" ? tree.Path("none") : tree.Path("a.json")));
        RawResponse response = server.Exchange(Get("/whatever"));
        Assert.Equal("{}", response.Text);
        Assert.Equal("application/json", response.Get("Content-Type"));
        Assert.Equal(404, server.Exchange(Get("/none")).StatusCode);
        Assert.Equal(400, server.Exchange(Get("/a/..")).StatusCode);
    }

    [Fact]
    public void The_layout_of_statx_is_Linuxs()
    {
        Assert.Equal(256, System.Runtime.CompilerServices.Unsafe.SizeOf<LinuxFiles.Status>());
        Assert.Equal([28, 40, 112, 120], Offsets("Mode", "Size", "ModifiedSeconds", "ModifiedNanoseconds"));
    }

    private static int[] Offsets(params string[] fields) =>
        [.. fields.Select(f => (int)System.Runtime.InteropServices.Marshal.OffsetOf<LinuxFiles.Status>(f))];

    [Theory]
    [InlineData("%PDF-1", "application/pdf")]
    [InlineData(" \n<!DOCTYPE html>", "text/html; charset=utf-8")]
    [InlineData("<b>", "text/html; charset=utf-8")]
    [InlineData("<bx>", "text/plain; charset=utf-8")]
    [InlineData("<?xml ", "text/xml; charset=utf-8")]
    [InlineData("RIFF0000WEBPVP", "image/webp")]
    [InlineData("XXXX0000WEBPVP", "text/plain; charset=utf-8")]
    [InlineData("\0\0\0\u0010ftypisommp42", "application/octet-stream")]
    [InlineData("\0\0\0\u0014ftypisom0000mp42", "video/mp4")]
    [InlineData("\u0089PNG\r\n\u001a\n", "image/png")]
    [InlineData("a\u0001", "application/octet-stream")]
    [InlineData("", "text/plain; charset=utf-8")]
    public void Types_are_sniffed(string content, string type) =>
        Assert.Equal(type, ContentSniffer.DetectContentType(Encoding.Latin1.GetBytes(content)));
}
