using System.Net;
using System.Text;
using NetGo.Http;

namespace Experiments;

/// <summary>An HTTP server with a scheduler of its own.</summary>
internal sealed class HttpHost : IAsyncDisposable
{
    private static readonly byte[] s_hello = Encoding.ASCII.GetBytes("Hello, World!");

    private readonly CancellationTokenSource _stop = new();
    private readonly NetListener _listener;
    private readonly Task _serving;

    private HttpHost(GoScheduler scheduler, NetListener listener, Server server)
    {
        Scheduler = scheduler;
        _listener = listener;
        _serving = scheduler.RunAsync(() => server.ServeAsync(listener, _stop.Token));
    }

    public GoScheduler Scheduler { get; }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint).Port;

    /// <param name="scheduler">Belongs to it.</param>
    /// <param name="handler">Who answers.</param>
    /// <param name="shards">How many processors accept: with one all connections are that one's.</param>
    public static async Task<HttpHost> StartAsync(GoScheduler scheduler, IHandler handler, int shards = 0)
    {
        NetListener? listener = null;
        await scheduler.RunAsync(() =>
        {
            listener = NetListener.Listen("127.0.0.1:0", new ListenOptions { Shards = shards });
            return Task.CompletedTask;
        });
        return new HttpHost(scheduler, listener!, new Server { Handler = handler });
    }

    /// <summary>GET /plaintext, for which the handler computes for a while.</summary>
    public static ServeMux Plaintext(int microseconds)
    {
        var mux = new ServeMux();
        mux.HandleFunc("GET /plaintext", (w, _) =>
        {
            if (microseconds > 0)
                Work.For(microseconds);
            return Answer(w);
        });
        return mux;
    }

    public static ValueTask Answer(ResponseWriter w)
    {
        w.Header.Add("Content-Type", "text/plain");
        return w.WriteAsync(s_hello);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        Scheduler.Dispose();
        _stop.Dispose();
    }
}
