using System.Net;

namespace NetGo.Http;

/// <summary>Who sends a request, as far as its connection tells.</summary>
internal static class ClientAddress
{
    /// <summary>The address without its port, an IPv4 one as such; null for a Unix domain socket.</summary>
    public static IPAddress? Of(Request request)
    {
        if (request.RemoteEndPoint is not IPEndPoint endPoint)
            return null;
        return endPoint.Address.IsIPv4MappedToIPv6 ? endPoint.Address.MapToIPv4() : endPoint.Address;
    }

    /// <summary>The address that limits are counted by. Of IPv6 the first 64 bits: who has one such address has all of its network.</summary>
    public static IPAddress PartitionOf(Request request)
    {
        IPAddress address = Of(request) ?? IPAddress.None;
        if (address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetworkV6)
            return address;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }
}
