using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace OrleansCluster;

/// <summary>The ports of the cluster, on loopback: four in a row. Silos tell each other their ports, so they must be known beforehand.</summary>
internal readonly record struct ClusterPorts(int First)
{
    private const int Count = 4;
    private const int LowestTried = 20_000;
    private const int HighestTried = 30_000; // above are those that the system gives to connections

    public static ClusterPorts Default => new(11111);

    public static bool TryParse(string first, out ClusterPorts ports)
    {
        bool isPort = ushort.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)
            && port is > 0 and <= ushort.MaxValue - (Count - 1);
        ports = new ClusterPorts(port);
        return isPort;
    }

    /// <summary>Where the other silos connect to.</summary>
    public int SiloPort(string silo) => First + (silo == "A" ? 0 : 1);

    /// <summary>Where clients connect to.</summary>
    public int GatewayPort(string silo) => First + (silo == "A" ? 2 : 3);

    /// <summary>Four that are free at the moment.</summary>
    public static ClusterPorts FindFree()
    {
        while (true)
        {
            int first = Random.Shared.Next(LowestTried, HighestTried - Count);
            if (Enumerable.Range(first, Count).All(IsFree))
                return new ClusterPorts(first);
        }
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return false;
        }
    }
}
