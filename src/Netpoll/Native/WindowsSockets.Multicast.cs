using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

internal static unsafe partial class WindowsSockets
{
    /// <summary>Joins or leaves a multicast group.</summary>
    /// <param name="socket">A datagram socket.</param>
    /// <param name="isIPv6">Whether the group is one of IPv6.</param>
    /// <param name="membership">struct ip_mreq, or ipv6_mreq.</param>
    /// <param name="length">Of it.</param>
    /// <param name="join">False to leave.</param>
    public static int SetMembership(nint socket, bool isIPv6, byte* membership, int length, bool join)
    {
        SocketOptionLevel level = isIPv6 ? SocketOptionLevel.IPv6 : SocketOptionLevel.IP;
        // The numbers of both protocols' options are the same.
        SocketOptionName name = join ? SocketOptionName.AddMembership : SocketOptionName.DropMembership;
        return SetMembership(socket, (int)level, (int)name, membership, length) == 0 ? 0 : -Marshal.GetLastPInvokeError();
    }

    [LibraryImport("ws2_32", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetMembership(nint socket, int level, int name, byte* value, int length);
}
