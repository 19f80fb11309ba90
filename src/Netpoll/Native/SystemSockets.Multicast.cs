using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll;

// Groups. All systems join and leave with an option of the address's protocol, whose value is the group and an interface by its
// index:
//
//           IPv4                                    IPv6: struct ipv6_mreq
//   Unix    struct ip_mreqn: group, any, index      group, index
//   Windows struct ip_mreq: group, and the index    group, index
//           as an address 0.x.x.x
internal static unsafe partial class SystemSockets
{
    private const int MaxMembershipLength = 20;

    /// <summary>Joins or leaves a multicast group.</summary>
    /// <param name="socket">A datagram socket.</param>
    /// <param name="group">Its address.</param>
    /// <param name="interfaceIndex">0 for the one that the system chooses.</param>
    /// <param name="join">False to leave.</param>
    public static int SetMembership(nint socket, IPAddress group, int interfaceIndex, bool join)
    {
        bool isIPv6 = group.AddressFamily == AddressFamily.InterNetworkV6;
        Span<byte> value = stackalloc byte[MaxMembershipLength];
        value.Clear();
        _ = group.TryWriteBytes(value, out int length);
        if (isIPv6 || !OperatingSystem.IsWindows())
        {
            if (!isIPv6)
                length += sizeof(uint); // the interface's address, which the index makes superfluous
            BitConverter.TryWriteBytes(value[length..], interfaceIndex);
        }
        else
        {
            BinaryPrimitives.WriteInt32BigEndian(value[length..], interfaceIndex);
        }
        length += sizeof(int);
        fixed (byte* start = value)
        {
            return OperatingSystem.IsWindows()
                ? WindowsSockets.SetMembership(socket, isIPv6, start, length, join)
                : UnixSockets.SetMembership(socket, isIPv6, start, length, join);
        }
    }
}
