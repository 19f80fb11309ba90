using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;

namespace NetGo.Connections.Tests;

// Files, and what MVC and Razor make.
public abstract partial class KestrelContract
{
    private const int FileSize = 50_000_000;

    private static readonly Lazy<byte[]> s_file = new(static () => Bytes.Random(FileSize));

    [Theory]
    [InlineData(HttpProtocols.Http1, false)]
    [InlineData(HttpProtocols.Http1, true)]
    [InlineData(HttpProtocols.Http2, true)]
    public async Task Files_are_served_whole_and_in_ranges(HttpProtocols protocols, bool tls)
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("netgo");
        try
        {
            string path = Path.Combine(directory.FullName, "large.bin");
            await File.WriteAllBytesAsync(path, s_file.Value);
            using var files = new PhysicalFileProvider(directory.FullName);
            await using WebApplication app = await StartAsync(
                kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
                {
                    listen.Protocols = protocols;
                    if (tls)
                        listen.UseHttps(s_certificate);
                }),
                app =>
                {
                    app.UseStaticFiles(new StaticFileOptions { FileProvider = files, RequestPath = "/files" });
                    app.MapGet("/sent", (HttpContext context) => context.Response.SendFileAsync(path));
                });
            using HttpClient client = Client(protocols == HttpProtocols.Http2 ? HttpVersion.Version20 : HttpVersion.Version11);
            client.BaseAddress = AddressOf(app);

            Assert.True((await client.GetByteArrayAsync("/files/large.bin")).AsSpan().SequenceEqual(s_file.Value));
            Assert.True((await client.GetByteArrayAsync("/sent")).AsSpan().SequenceEqual(s_file.Value));

            using var request = new HttpRequestMessage(HttpMethod.Get, "/files/large.bin")
            {
                Version = client.DefaultRequestVersion,
                VersionPolicy = client.DefaultVersionPolicy,
                Headers = { Range = new RangeHeaderValue(1_000_000, 1_999_999) },
            };
            using HttpResponseMessage part = await client.SendAsync(request);
            Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
            Assert.True((await part.Content.ReadAsByteArrayAsync()).AsSpan().SequenceEqual(s_file.Value.AsSpan(1_000_000, 1_000_000)));
            Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/files/none")).StatusCode);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_client_that_leaves_in_the_middle_of_a_file_harms_nobody()
    {
        string path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, s_file.Value);
            await using WebApplication app = await StartAsync(app => app.MapGet("/", (HttpContext context) => context.Response.SendFileAsync(path)));
            for (int i = 0; i < 5; i++)
            {
                using var leaving = await ConnectAsync(AddressOf(app));
                await TransportHost.SendAsync(leaving, Bytes.Of("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
                await TransportHost.ReceiveAsync(leaving, 100_000);
                if (i % 2 == 0)
                    TransportHost.Reset(leaving);
            }
            using HttpClient client = Client();
            Assert.True((await client.GetByteArrayAsync(AddressOf(app))).AsSpan().SequenceEqual(s_file.Value));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Controllers_and_Razor_pages_answer()
    {
        await using WebApplication app = await StartAsync(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0),
            app =>
            {
                app.MapControllers();
                app.MapRazorPages();
            },
            builder =>
            {
                builder.Services.AddControllers();
                builder.Services.AddRazorPages(static pages => pages.RootDirectory = "/Application/Pages");
            });
        using HttpClient client = Client();
        client.BaseAddress = AddressOf(app);
        using HttpResponseMessage sum = await client.PostAsJsonAsync("/sum", new SumRequest([.. Enumerable.Range(0, 10_000)]));
        Assert.Equal(new SumAnswer(49_995_000), await sum.Content.ReadFromJsonAsync<SumAnswer>());
        Assert.Equal(HttpStatusCode.BadRequest, (await client.PostAsJsonAsync("/sum", new SumRequest([]))).StatusCode);
        Assert.Contains("<p>Hello, gopher!</p>", await client.GetStringAsync("/greeting/gopher"), StringComparison.Ordinal);
    }
}
