using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace NetGo.Connections;

/// <summary>End points with what is done with their connections. Of several end points those are left out that the system does not have.</summary>
/// <param name="endPoints">One, or the addresses of one name.</param>
/// <param name="factory">Null for the server's.</param>
/// <param name="application">What is done.</param>
internal sealed class ServerBinding(EndPoint[] endPoints, IConnectionListenerFactory? factory, ConnectionDelegate application)
{
    public ConnectionDelegate Application => application;

    /// <summary>Listens on all of them, or on none.</summary>
    /// <exception cref="IOException">It cannot listen there; the message says where and why.</exception>
    public async Task<List<IConnectionListener>> BindAsync(IConnectionListenerFactory fallback, CancellationToken cancellationToken)
    {
        var listeners = new List<IConnectionListener>();
        IOException? absent = null;
        try
        {
            foreach (EndPoint endPoint in endPoints)
            {
                try
                {
                    listeners.Add(await BindAsync(factory ?? fallback, endPoint, cancellationToken).ConfigureAwait(false));
                }
                catch (IOException e) when (endPoints.Length > 1 && IsAbsent(e.InnerException))
                {
                    absent = e;
                }
            }
        }
        catch
        {
            await DisposeAsync(listeners).ConfigureAwait(false);
            throw;
        }
        return listeners.Count > 0 ? listeners : throw absent!;
    }

    public static async Task DisposeAsync(List<IConnectionListener> listeners)
    {
        foreach (IConnectionListener listener in listeners)
            await listener.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task<IConnectionListener> BindAsync(IConnectionListenerFactory factory, EndPoint endPoint, CancellationToken cancellationToken)
    {
        try
        {
            return await factory.BindAsync(endPoint, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or AddressInUseException or IOException)
        {
            throw new IOException($"The server cannot listen on {endPoint}: {e.Message}", e);
        }
    }

    private static bool IsAbsent(Exception? e) =>
        e is SocketException { SocketErrorCode: SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported };
}
