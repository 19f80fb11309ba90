using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

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
