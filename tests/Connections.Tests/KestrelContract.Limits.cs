using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace NetGo.Connections.Tests;

// Kestrel's limits of time, rate and number.
public abstract partial class KestrelContract
{
    // Kestrel looks once in a second, and takes no shorter one.
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(1.5);

    private Task<WebApplication> StartLimitedAsync(Action<KestrelServerLimits> limits, Action<WebApplication> map) => StartAsync(
        kestrel =>
        {
            limits(kestrel.Limits);
            kestrel.Listen(IPAddress.Loopback, 0);
        },
        map);

    // All at once: each takes seconds, and nothing but time.
    [Fact]
    public Task Whoever_is_too_slow_is_given_up() => Task.WhenAll(
        HeadersAreTooSlowAsync(), ContentIsTooSlowAsync(), AnswerIsTakenTooSlowlyAsync(), NoRequestComesAsync());

    private async Task HeadersAreTooSlowAsync()
    {
        await using WebApplication app = await StartLimitedAsync(
            limits => limits.RequestHeadersTimeout = TimeSpan.FromSeconds(1),
            app => app.MapGet("/", () => "answer"));
        using Socket slow = await ConnectAsync(AddressOf(app));
        await TransportHost.SendAsync(slow, Bytes.Of("GET / HTTP/1.1\r\nHost:"));
        Assert.StartsWith("HTTP/1.1 408 ", await ReceiveTextAsync(slow), StringComparison.Ordinal);
    }

    private async Task ContentIsTooSlowAsync()
    {
        await using WebApplication app = await StartLimitedAsync(
            limits => limits.MinRequestBodyDataRate = new MinDataRate(100_000, s_grace),
            app => app.MapPost("/", async (HttpContext context) => await context.Request.Body.CopyToAsync(Stream.Null)));
        using Socket slow = await ConnectAsync(AddressOf(app));
        await TransportHost.SendAsync(slow, Bytes.Of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nand then nothing"));
        Assert.StartsWith("HTTP/1.1 408 ", await ReceiveTextAsync(slow), StringComparison.Ordinal);
    }

    private async Task AnswerIsTakenTooSlowlyAsync()
    {
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using WebApplication app = await StartLimitedAsync(
            limits => limits.MinResponseDataRate = new MinDataRate(10_000_000, s_grace),
            app => app.MapGet("/", async (HttpContext context) =>
            {
                using CancellationTokenRegistration registration = context.RequestAborted.Register(aborted.SetResult);
                byte[] piece = new byte[64 * 1024];
                for (int i = 0; i < 1000 && !context.RequestAborted.IsCancellationRequested; i++)
                    await context.Response.Body.WriteAsync(piece);
                await aborted.Task.Within(); // the writes may have been told a moment earlier, and go on without an error
            }));
        using Socket slow = await ConnectAsync(AddressOf(app));
        await TransportHost.SendAsync(slow, Bytes.Of("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        await aborted.Task.Within(); // it reads nothing
    }

    private async Task NoRequestComesAsync()
    {
        await using WebApplication app = await StartLimitedAsync(
            limits => limits.KeepAliveTimeout = TimeSpan.FromSeconds(1),
            app => app.MapGet("/", () => "answer"));
        using Socket silent = await ConnectAsync(AddressOf(app));
        using Socket client = await ConnectAsync(AddressOf(app));
        await TransportHost.SendAsync(client, Bytes.Of("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        Assert.Contains("answer", await ReceiveTextAsync(client), StringComparison.Ordinal); // and the end
        Assert.Equal("", await ReceiveTextAsync(silent));
    }

    [Fact]
    public async Task No_more_connections_are_served_than_is_allowed()
    {
        await using WebApplication app = await StartLimitedAsync(
            limits => limits.MaxConcurrentConnections = 2,
            app => app.MapGet("/", () => "answer"));
        Uri address = AddressOf(app);
        using Socket first = await ConnectAsync(address);
        using Socket second = await ConnectAsync(address);
        Assert.True(await IsServedAsync(first));
        Assert.True(await IsServedAsync(second));
        using Socket third = await ConnectAsync(address);
        Assert.False(await IsServedAsync(third));
        first.Close();
        for (int i = 0; ; i++)
        {
            using Socket next = await ConnectAsync(address);
            if (await IsServedAsync(next))
                break;
            Assert.True(i < 1000, "No connection is served in the place of the one that has ended.");
            await Task.Delay(10);
        }
    }

    private static async Task<bool> IsServedAsync(Socket client)
    {
        try
        {
            await TransportHost.SendAsync(client, Bytes.Of("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
            return (await TransportHost.ReceiveAsync(client, 12)).AsSpan().SequenceEqual("HTTP/1.1 200"u8);
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<string> ReceiveTextAsync(Socket client) => Encoding.ASCII.GetString(await TransportHost.ReceiveAsync(client));
}
