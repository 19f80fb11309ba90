using System.Net;
using System.Text;
using NetGo.Netpoll;

namespace NetGo.Http.Tests;

/// <summary>A server on a free port of the loopback interface, with a scheduler of its own: no goroutine may outlive it.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly GoScheduler _scheduler;
    private readonly GoroutineLeaks _leaks;
    private readonly NetListener _listener;
    private readonly MemoryLogger _log = new();

    public TestServer(
        Func<ResponseWriter, Request, ValueTask> handler, Action<Server>? configure = null, BufferPool? buffers = null, TlsOptions? tls = null,
        CancellationToken cancellationToken = default)
        : this(new HandlerFunc(handler), configure, buffers, tls, cancellationToken)
    {
    }

    public TestServer(
        IHandler handler, Action<Server>? configure = null, BufferPool? buffers = null, TlsOptions? tls = null, CancellationToken cancellationToken = default)
    {
        _scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 2, Buffers = buffers });
        _leaks = GoroutineLeaks.Watch(_scheduler);
        _listener = _scheduler.RunAsync(() => Task.FromResult(NetListener.Listen("127.0.0.1:0"))).GetAwaiter().GetResult();
        EndPoint = (IPEndPoint)_listener.LocalEndPoint;
        Server = new Server { Handler = handler, Logger = _log };
        configure?.Invoke(Server);
        Serving = tls is null ? Server.ServeAsync(_listener, cancellationToken) : Server.ServeTlsAsync(_listener, tls, cancellationToken);
    }

    public static TimeSpan Bound { get; } = TimeSpan.FromMilliseconds(RawClient.BoundMilliseconds);

    public IPEndPoint EndPoint { get; }

    public Server Server { get; }

    public MemoryLogger Log => _log;

    /// <summary>What <see cref="Server.ServeAsync"/> returned.</summary>
    public Task Serving { get; }

    public RawClient Connect(int receiveBufferSize = 0) => new(EndPoint, receiveBufferSize);

    /// <summary>Linux lets a client on the loopback interface take any address of 127.0.0.0/8.</summary>
    public RawClient ConnectFrom(string address) => new(EndPoint, from: IPAddress.Parse(address));

    /// <summary>The final response to a request on a connection of its own, which stays open for the server's part.</summary>
    public RawResponse Exchange(string request)
    {
        using RawClient client = Connect();
        return client.Exchange(request);
    }

    /// <summary>The server still answers on new connections.</summary>
    public void AssertAlive()
    {
        using RawClient client = Connect();
        Assert.InRange(client.Exchange("GET /alive HTTP/1.1\r\nHost: h\r\n\r\n").StatusCode, 200, 499);
    }

    /// <summary>Sends a message that must be refused: the answer has one of these status codes and says that the connection
    /// ends, nothing follows it, and the connection ends. So too when the client has sent more by then, which must be
    /// taken neither for a request nor as a reason to lose the answer.</summary>
    public void AssertRefused(string message, params int[] statusCodes)
    {
        AssertRefused(message, "", statusCodes);
        AssertRefused(message, "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n" + new string('x', 20_000), statusCodes);
    }

    public async ValueTask DisposeAsync()
    {
        Server.Close();
        try
        {
            await Serving.WaitAsync(Bound);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"ServeAsync has not completed after Close, with {Server.ConnectionCount} connections. " +
                $"Goroutines: {string.Join("; ", _scheduler.Goroutines())}. Log: {string.Join("; ", _log.Entries)}");
        }

        await Server.DisposeAsync().AsTask().WaitAsync(Bound);
        _listener.Dispose();
        await _leaks.CheckAsync(Bound);
        _scheduler.Dispose();
        _log.AssertNothingCritical();
    }

    private void AssertRefused(string message, string more, int[] statusCodes)
    {
        using RawClient client = Connect();
        client.SendAnyway(message + more);
        RawResponse response = client.ReadResponse();
        Assert.True(statusCodes.Contains(response.StatusCode),
            $"Expected {string.Join(" or ", statusCodes)}, got {response.StatusCode} for {Printable(message)}{(more.Length > 0 ? " and more" : "")}");
        Assert.True(response.IsComplete, "The answer was cut off.");
        client.AssertClosed();
        Assert.True(response.HasConnectionClose, $"{response.StatusCode} without Connection: close (RFC 9112, section 9.6) for {Printable(message)}");
        Assert.False(client.WasReset, $"The connection was reset after {response.StatusCode}: the answer could have been lost (RFC 9112, section 9.6).");
    }

    private static string Printable(string message)
    {
        var text = new StringBuilder();
        foreach (char character in message.Length > 300 ? message[..300] : message)
        {
            _ = character switch
            {
                '\r' => text.Append("\\r"),
                '\n' => text.Append("\\n"),
                < ' ' or > '~' => text.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\x{(int)character:x2}"),
                _ => text.Append(character),
            };
        }

        return text.ToString();
    }
}
