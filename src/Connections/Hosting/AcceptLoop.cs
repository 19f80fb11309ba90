using Microsoft.AspNetCore.Connections;

namespace NetGo.Connections;

// Accepts the connections of one listener and starts each: it never runs a handler itself, for one that does not wait would keep the next connection
// waiting. On NetGo's listener it is a goroutine, and so are the connections that it starts; on any other both are the thread pool's.
//
// It ends when the listener says that there are no more (null), which UnbindAsync makes it say. A failure is no end: it says so in the log, waits as
// Go's net/http does, 5 ms and then twice as long each time up to 1 s, and goes on.
internal sealed class AcceptLoop(Server server, IConnectionListener listener, ConnectionDelegate application)
{
    private static readonly TimeSpan s_firstDelay = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_longestDelay = TimeSpan.FromSeconds(1);

    public IConnectionListener Listener => listener;

    /// <summary>Its end, when it has been started.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    public void Start() =>
        Completion = listener is NetpollConnectionListener netpoll ? netpoll.Scheduler.RunAsync(RunAsync) : Task.Run(RunAsync);

    private async Task RunAsync()
    {
        TimeSpan delay = s_firstDelay;
        while (true)
        {
            try
            {
                if (await listener.AcceptAsync().ConfigureAwait(false) is not { } connection)
                    return;
                delay = s_firstDelay;
                server.Take(connection, application);
            }
            catch (Exception) when (server.Stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                ServerLog.AcceptFailed(server.Logger, listener.EndPoint, delay.TotalMilliseconds, e);
                await Task.Delay(delay, server.Stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                delay = delay * 2 < s_longestDelay ? delay * 2 : s_longestDelay;
            }
        }
    }
}
