using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using NetGo.Netpoll;

namespace NetGo.Connections;

/// <summary>Whether the connections of a factory run on netpoll or over sockets. It is decided, and logged, when the first is wanted.</summary>
internal sealed class TransportSelection(NetpollTransportOptions options, ILogger logger)
{
    private readonly Lock _lock = new();
    private bool? _usesFallback;

    /// <summary>True for sockets.</summary>
    /// <exception cref="FormatException">NETGO_POLLER names no poller.</exception>
    public bool UsesFallback()
    {
        lock (_lock)
            return _usesFallback ??= Decide();
    }

    private bool Decide()
    {
        if (options.Fallback == FallbackUse.Always)
        {
            ConnectionsLog.FallbackChosen(logger);
            return true;
        }
        try
        {
            INetPoller poller = PollerSelection.For(options.Scheduler ?? GoScheduler.Current, 0);
            ConnectionsLog.NetpollUsed(logger, poller.Kind);
            return false;
        }
        catch (Exception e) when (options.Fallback == FallbackUse.WhenNeeded && MeansNoPoller(e))
        {
            ConnectionsLog.FallbackNeeded(logger, e.Message);
            return true;
        }
    }

    // There is none for this system, it refused to make one, or its library has not the functions that it takes. A variable that names none
    // (FormatException) and a simulation, which has no network, are the user's mistakes.
    private static bool MeansNoPoller(Exception e) =>
        e is PlatformNotSupportedException or SocketException or IOException or TypeLoadException or TypeInitializationException;
}
