using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace NetGo.Connections.Tests;

// Connections that end before their time.
public abstract partial class KestrelContract
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_upload_that_is_broken_off_fails_its_reader(bool reset)
    {
        var read = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var failed = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using WebApplication app = await StartAsync(app => app.MapPost("/", async (HttpContext context) =>
        {
            byte[] buffer = new byte[1000];
            try
            {
                await context.Request.Body.ReadExactlyAsync(buffer);
                read.SetResult();
                while (await context.Request.Body.ReadAsync(buffer) > 0)
                {
                }
                failed.SetException(new InvalidOperationException("The content has ended as if it were whole."));
            }
            catch (Exception e)
            {
                failed.SetResult(e);
            }
        }));
        using Socket client = await ConnectAsync(AddressOf(app));
        await TransportHost.SendAsync(client, Bytes.Of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"));
        await TransportHost.SendAsync(client, Bytes.Random(1000));
        await read.Task.Within();
        if (reset)
            TransportHost.Reset(client);
        else
            client.Shutdown(SocketShutdown.Send);
        Exception e = await failed.Task.Within();
        Assert.True(e is IOException, e.ToString());
    }

    [Fact]
    public async Task A_shutdown_closes_connections_without_a_request_and_breaks_off_those_that_take_too_long()
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using WebApplication app = await StartAsync(app =>
        {
            app.MapGet("/", () => "answer");
            app.MapGet("/long", async (HttpContext context) =>
            {
                using CancellationTokenRegistration registration = context.RequestAborted.Register(aborted.SetResult);
                entered.SetResult();
                await aborted.Task;
            });
        });
        using Socket idle = await ConnectAsync(AddressOf(app));
        await TransportHost.SendAsync(idle, Bytes.Of("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        Assert.Equal(1, await idle.ReceiveAsync(new byte[1]).Within()); // it has had a request
        Task<string> answered = ReceiveTextAsync(idle);
        using Socket busy = await ConnectAsync(AddressOf(app));
        await TransportHost.SendAsync(busy, Bytes.Of("GET /long HTTP/1.1\r\nHost: h\r\n\r\n"));
        await entered.Task.Within();
        using var limit = new CancellationTokenSource();
        Task stopping = app.StopAsync(limit.Token);
        Assert.Contains("answer", await answered.Within(), StringComparison.Ordinal); // and the end
        Assert.False(stopping.IsCompleted || aborted.Task.IsCompleted);
        limit.Cancel();
        await aborted.Task.Within();
        await stopping.Within();
        Assert.False(await IsServedAsync(busy));
    }
}
