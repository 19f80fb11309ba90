namespace NetGo.Http;

public sealed partial class Server
{
    /// <summary>Serves a connection that no listener has accepted, on its scheduler.</summary>
    /// <exception cref="InvalidOperationException">A limit is out of range.</exception>
    /// <returns>False when the server has been shut down: the connection is closed.</returns>
    internal bool TryServe(HttpTransport transport)
    {
        var connection = new Http1Connection(this, transport, Context.Background, tls: null);
        bool added;
        lock (_lock)
        {
            ReadProperties();
            BeginMetrics();
            added = !_shuttingDown && Add(connection);
        }
        if (!added)
        {
            transport.Close();
            return false;
        }
        transport.Scheduler.Spawn(static c => ((Http1Connection)c!).ServeAsync(), connection);
        return true;
    }
}
