using System.Text;
using NetGo.Http.Testing;

namespace NetGo.Http.Tests.Testing;

/// <summary>A server in memory with a scheduler of its own: no goroutine may outlive it.</summary>
internal sealed class MemoryServer : IAsyncDisposable
{
    private readonly GoScheduler _scheduler = new(new SchedulerOptions { MaxProcs = 2 });
    private readonly GoroutineLeaks _leaks;
    private readonly MemoryLogger _log = new();
    private readonly NetGo.Http.Testing.TestServer _host;

    public MemoryServer(Func<ResponseWriter, Request, ValueTask> handler, Action<Server>? configure = null)
    {
        _leaks = GoroutineLeaks.Watch(_scheduler);
        Server = new Server { Handler = new HandlerFunc(handler), Logger = _log };
        configure?.Invoke(Server);
        _host = _scheduler.RunAsync(() => Task.FromResult(NetGo.Http.Testing.TestServer.Start(Server))).GetAwaiter().GetResult();
        Client = _host.CreateClient();
        Client.Timeout = Bounded.Limit;
    }

    public Server Server { get; }

    public HttpClient Client { get; }

    public SocketsHttpHandler CreateHandler() => _host.CreateHandler();

    public ValueTask<InMemoryStream> ConnectAsync() => _host.ConnectAsync();

    /// <summary>Sends bytes on a connection of their own; all that comes back until the server closes it.</summary>
    public async Task<string> ExchangeAsync(string bytes)
    {
        await using InMemoryStream stream = await ConnectAsync();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(bytes)).AsTask().Within();
        return await ReadToEndAsync(stream);
    }

    public static async Task<string> ReadToEndAsync(Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.Latin1, leaveOpen: true);
        return await reader.ReadToEndAsync().Within();
    }

    public static async Task<string> ReadAsync(Stream stream, int count)
    {
        byte[] bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes).AsTask().Within();
        return Encoding.Latin1.GetString(bytes);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _host.DisposeAsync().AsTask().Within();
        await _leaks.CheckAsync(Bounded.Limit);
        _scheduler.Dispose();
        _log.AssertNothingCritical();
    }
}
