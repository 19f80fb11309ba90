namespace NetGo.Netpoll;

internal static unsafe partial class UnixSockets
{
    private const int IPPROTO_IP = 0;

    private static int IP_ADD_MEMBERSHIP => IsLinux ? 35 : 12;

    private static int IP_DROP_MEMBERSHIP => IsLinux ? 36 : 13;

    private static int IPV6_JOIN_GROUP => IsLinux ? 20 : 12;

    private static int IPV6_LEAVE_GROUP => IsLinux ? 21 : 13;

    /// <summary>Joins or leaves a multicast group.</summary>
    /// <param name="socket">A datagram socket.</param>
    /// <param name="isIPv6">Whether the group is one of IPv6.</param>
    /// <param name="membership">struct ip_mreqn, or ipv6_mreq.</param>
    /// <param name="length">Of it.</param>
    /// <param name="join">False to leave.</param>
    public static int SetMembership(nint socket, bool isIPv6, byte* membership, int length, bool join)
    {
        int name = isIPv6 ? join ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP : join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;
        return Result(SetSocketOption((int)socket, isIPv6 ? IPPROTO_IPV6 : IPPROTO_IP, name, membership, (uint)length));
    }

    /// <summary>Lets other sockets have the same address, and share its datagrams where the system can: SO_REUSEPORT, on FreeBSD
    /// SO_REUSEPORT_LB.</summary>
    public static int ShareDatagramAddress(nint socket)
    {
        int on = 1;
        return IsMac ? Result(SetSocketOption((int)socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(int))) : ShareAddress(socket);
    }
}
