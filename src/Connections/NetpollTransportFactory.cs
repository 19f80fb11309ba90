using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;
using NetGo.Netpoll;

namespace NetGo.Connections;

/// <summary>Listens on NetGo's pollers for whatever is written for ASP.NET Core's transports: Kestrel, Orleans, Bedrock's servers. What
/// SocketTransportFactory is to Socket. Where no poller works it listens over System.Net.Sockets (<see cref="NetpollTransportOptions.Fallback"/>).
/// </summary>
/// <param name="options">Null for the defaults.</param>
/// <param name="loggerFactory">Null to log nothing.</param>
public sealed class NetpollTransportFactory(NetpollTransportOptions? options = null, ILoggerFactory? loggerFactory = null)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    internal const string LogCategory = "NetGo.Connections";

    private readonly NetpollTransportOptions _options = options ?? new NetpollTransportOptions();
    private readonly ILogger _logger = loggerFactory?.CreateLogger(LogCategory) ?? NullLogger.Instance;
    private TransportSelection? _selection;

    private TransportSelection Selection => LazyInitializer.EnsureInitialized(ref _selection, () => new TransportSelection(_options, _logger));

    /// <summary>Listens on an end point.</summary>
    /// <param name="endpoint">An <see cref="IPEndPoint"/> (port 0 is any free one), a <see cref="UnixDomainSocketEndPoint"/>, or a
    /// <see cref="FileHandleEndPoint"/>: a socket that listens already, inherited or opened elsewhere, which the listener gets a descriptor
    /// of its own for.</param>
    /// <param name="cancellationToken">Looked at before.</param>
    /// <exception cref="NotSupportedException">Another kind of end point.</exception>
    /// <exception cref="AddressInUseException">Somebody listens there.</exception>
    /// <exception cref="SocketException">The address is not allowed.</exception>
    /// <exception cref="FormatException"><c>NETGO_POLLER</c> names no poller.</exception>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<IConnectionListener>(cancellationToken);
        if (!CanBind(endpoint))
            throw new NotSupportedException($"NetGo.Connections does not listen on a {endpoint.GetType().Name}.");
        try
        {
            return new ValueTask<IConnectionListener>(Selection.UsesFallback()
                ? new FallbackListener(ListeningSocket.Open(endpoint, _options.Backlog), _options, _logger)
                : new NetpollConnectionListener(Listen(endpoint), _options, _logger));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(e.Message, e);
        }
    }

    /// <summary>Whether <see cref="BindAsync"/> knows this kind of end point.</summary>
    /// <param name="endpoint">Any.</param>
    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint or UnixDomainSocketEndPoint or FileHandleEndPoint;

    private NetListener Listen(EndPoint endPoint)
    {
        var listen = new ListenOptions
        {
            Backlog = _options.Backlog,
            Shards = _options.IOQueueCount,
            NoDelay = _options.NoDelay,
            Logger = _logger,
        };
        GoScheduler scheduler = _options.Scheduler ?? GoScheduler.Current;
        NetListener listener;
        if (endPoint is FileHandleEndPoint file)
        {
            using var handle = new SafeFileHandle((nint)file.FileHandle, ownsHandle: false);
            listener = NetListener.FromDescriptor(scheduler, handle, listen);
        }
        else
        {
            listener = NetListener.Listen(scheduler, endPoint, listen);
        }
        if (_options.MaxWriteBufferSize is { } bytes)
            listener.LimitUnsent(bytes);
        return listener;
    }
}
