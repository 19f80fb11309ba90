using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace NetGo.Connections.Tests;

/// <summary>Kestrel with <c>UseNetpoll</c>: what it does on its own transport, and what only NetGo's does.</summary>
public sealed class KestrelOnNetpollTests : KestrelContract
{
    protected override void Use(IWebHostBuilder builder) => builder.UseNetpoll();

    [Fact]
    public async Task The_handlers_run_on_the_scheduler()
    {
        await using WebApplication app = await StartAsync(app => app.MapGet("/", () => Thread.CurrentThread.IsThreadPoolThread ? "pool" : "scheduler"));
        using HttpClient client = Client();
        Assert.Equal("scheduler", await client.GetStringAsync(AddressOf(app)));
        Assert.Equal("scheduler", await client.GetStringAsync(AddressOf(app)));
    }

    [Fact]
    public async Task Handlers_that_block_hold_nobody_else_up()
    {
        using var release = new ManualResetEventSlim();
        int blocked = 0;
        await using WebApplication app = await StartAsync(app =>
        {
            app.MapGet("/block", () =>
            {
                Interlocked.Increment(ref blocked);
                Assert.True(release.Wait(Bounded.Limit));
                return "released";
            });
            app.MapGet("/", () => "free");
        });
        using HttpClient client = Client();
        client.BaseAddress = AddressOf(app);
        await client.GetStringAsync("/");
        int many = Environment.ProcessorCount * 4;
        Task<string>[] blocking = [.. Enumerable.Range(0, many).Select(_ => client.GetStringAsync("/block"))];
        Bounded.Until(() => Volatile.Read(ref blocked) == many, "all handlers blocked");
        for (int i = 0; i < 20; i++)
            Assert.Equal("free", await client.GetStringAsync("/"));
        release.Set();
        Assert.All(await Task.WhenAll(blocking), answer => Assert.Equal("released", answer));
    }

    /// <summary>HTTP/2's handlers are queued to the thread pool by Kestrel; this is how docs/aspnetcore.md says they get to the scheduler.</summary>
    [Fact]
    public async Task A_goroutine_for_each_request_keeps_handlers_of_HTTP_2_that_block_from_others()
    {
        using var release = new ManualResetEventSlim();
        int blocked = 0;
        await using WebApplication app = await StartAsync(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2),
            app =>
            {
                app.Use(static (context, next) => Go.RunAsync(() => next(context)));
                app.MapGet("/block", async () =>
                {
                    await Task.Delay(1); // something foreign, from which it comes back to the scheduler
                    Interlocked.Increment(ref blocked);
                    Assert.True(release.Wait(Bounded.Limit));
                    return Thread.CurrentThread.IsThreadPoolThread ? "pool" : "scheduler";
                });
                app.MapGet("/", () => "free");
            });
        using HttpClient client = Client(HttpVersion.Version20);
        client.BaseAddress = AddressOf(app);
        await client.GetStringAsync("/");
        const int many = 80; // more than a pool has threads, and fewer than a connection may have streams
        Task<string>[] blocking = [.. Enumerable.Range(0, many).Select(_ => client.GetStringAsync("/block"))];
        Bounded.Until(() => Volatile.Read(ref blocked) == many, "all handlers blocked");
        for (int i = 0; i < 20; i++)
            Assert.Equal("free", await client.GetStringAsync("/"));
        release.Set();
        Assert.All(await Task.WhenAll(blocking), answer => Assert.Equal("scheduler", answer));
    }

    [Fact]
    public async Task A_handle_that_listens_already_is_served()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("Sockets are not taken over on Windows.");
        using var opened = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        opened.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        opened.Listen();
        await using WebApplication app = await StartAsync(kestrel => kestrel.ListenHandle((ulong)opened.Handle), app => app.MapGet("/", () => "inherited"));
        using HttpClient client = Client();
        Assert.Equal("inherited", await client.GetStringAsync(new Uri($"http://{opened.LocalEndPoint}/")));
    }
}
