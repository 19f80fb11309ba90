using System.Net;
using System.Net.Sockets;

namespace NetGo.Http.Testing;

/// <summary>A server in memory, without sockets, for tests; Go's httptest.Server. All but the sockets is the real thing:
/// HTTP/1.1,
/// keep-alive, time-outs, back-pressure, clients that go away. What wants a <see cref="NetGo.Netpoll.NetConnection"/> is not
/// called:
/// <see cref="Server.BaseContext"/>, <see cref="Server.ConnContext"/>, <see cref="Server.OnConnState"/>.</summary>
/// <example><code>
/// await using TestServer server = TestServer.Start(new ServeMux());
/// using HttpClient client = server.CreateClient();
/// string text = await client.GetStringAsync("/");
/// </code></example>
public sealed class TestServer : IAsyncDisposable
{
    private const int BufferSize = 64 * 1024;
    private static readonly IPEndPoint s_address = new(IPAddress.Loopback, 80);

    private readonly GoScheduler _scheduler;
    private int _lastPort = -1;

    private TestServer(Server server)
    {
        ArgumentNullException.ThrowIfNull(server);
        _scheduler = GoScheduler.Current;
        Server = server;
    }

    /// <summary>The server: for its shutdown, or the number of its connections.</summary>
    public Server Server { get; }

    /// <summary>"http://localhost/". Clients that <see cref="CreateClient"/> makes come here for any other address too.</summary>
    public Uri BaseAddress { get; } = new("http://localhost/");

    /// <summary>Starts a server with a handler, on the current scheduler; Go's httptest.NewServer.</summary>
    /// <param name="handler">Who answers the requests.</param>
    public static TestServer Start(IHandler handler) => Start(new Server { Handler = handler });

    /// <summary>Starts a server with a function.</summary>
    /// <param name="handler">What answers the requests.</param>
    public static TestServer Start(Func<ResponseWriter, Request, ValueTask> handler) => Start(new HandlerFunc(handler));

    /// <summary>Starts a server that has limits, time-outs or a logger of its own; Go's httptest.NewUnstartedServer.</summary>
    /// <param name="server">One that serves nothing else.</param>
    public static TestServer Start(Server server) => new(server);

    /// <summary>A client of this server, to be disposed of by the caller; Go's Server.Client. As any, it keeps connections,
    /// follows redirects
    /// and keeps cookies: see <see cref="CreateHandler"/>.</summary>
    public HttpClient CreateClient() => new(CreateHandler()) { BaseAddress = BaseAddress };

    /// <summary>What connects a client to this server: for an <see cref="HttpClient"/> with other settings, or for the
    /// HttpMessageInvoker of a
    /// ClientWebSocket.</summary>
    public SocketsHttpHandler CreateHandler() => new()
    {
        UseProxy = false,
        ConnectCallback = async (_, cancellationToken) => await ConnectAsync(cancellationToken).ConfigureAwait(false),
    };

    /// <summary>A new connection to the server, for raw bytes.</summary>
    /// <param name="cancellationToken">Fails it.</param>
    /// <exception cref="IOException">The server has been shut down.</exception>
    /// <exception cref="InvalidOperationException">One of its limits is out of range.</exception>
    public ValueTask<InMemoryStream> ConnectAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<InMemoryStream>(cancellationToken);
        int port = 49152 + (Interlocked.Increment(ref _lastPort) & 0x3fff);
        (InMemoryTransport accepted, InMemoryTransport client) =
            InMemoryTransport.CreatePair(_scheduler, BufferSize, s_address, new IPEndPoint(IPAddress.Loopback, port));
        return Server.TryServe(accepted)
            ? new ValueTask<InMemoryStream>(new InMemoryStream(client))
            : throw new IOException("The server has been shut down.", new SocketException((int)SocketError.ConnectionRefused));
    }

    /// <summary>Closes the server and waits for its handlers to end; Go's Server.Close. For a graceful end, call
    /// <see cref="Server.ShutdownAsync"/> before.</summary>
    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
