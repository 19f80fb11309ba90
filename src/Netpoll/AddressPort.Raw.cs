using System.Buffers.Binary;
using System.Net.Sockets;

namespace NetGo.Netpoll;

// Its form in the system: struct sockaddr_in and sockaddr_in6, which are alike everywhere but for their head.
//
//   offset   IPv4             IPv6
//   0        family, 16 bits in the order of the processor; on the BSDs 8 bits of length and 8 of family
//   2        port             port
//   4        address          flow information
//   8        8 unused bytes   address
//   24                        scope (an interface), in the order of the processor
public readonly partial struct AddressPort
{
    /// <summary>The longer of the two.</summary>
    internal const int MaxRawLength = 28;

    private const int RawIPv4Length = 16;

    private static bool BeginsWithLength => OperatingSystem.IsMacOS() || OperatingSystem.IsFreeBSD();

    private static int RawFamilyOfIPv4 => (int)AddressFamily.InterNetwork; // 2 everywhere

    private static int RawFamilyOfIPv6 => OperatingSystem.IsWindows() ? (int)AddressFamily.InterNetworkV6 : UnixSockets.AF_INET6;

    /// <summary>The value of an address in the system's form; the default value when it is of no IP address.</summary>
    internal static AddressPort FromRaw(ReadOnlySpan<byte> raw)
    {
        if (raw.Length < RawIPv4Length)
            return default;
        int family = BeginsWithLength ? raw[1] : BitConverter.ToUInt16(raw);
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(raw[2..]);
        if (family == RawFamilyOfIPv4)
            return FromIPv4(raw[4..], port);
        return family == RawFamilyOfIPv6 && raw.Length >= MaxRawLength
            ? FromIPv6(raw[8..], BitConverter.ToUInt32(raw[24..]), port)
            : default;
    }

    /// <summary>Writes the system's form, for a socket of a family: to one of IPv6 an IPv4 address is a mapped one.</summary>
    /// <param name="raw">At least <see cref="MaxRawLength"/>.</param>
    /// <param name="family">The socket's.</param>
    /// <returns>How many bytes; 0 for the default value.</returns>
    internal int WriteRaw(Span<byte> raw, AddressFamily family) =>
        (family == AddressFamily.InterNetworkV6 ? MapToIPv6() : MapToIPv4()).WriteRaw(raw);

    private int WriteRaw(Span<byte> raw)
    {
        if (IsEmpty)
            return 0;
        bool isIPv4 = _version == 4;
        int length = isIPv4 ? RawIPv4Length : MaxRawLength;
        raw[..length].Clear();
        int family = isIPv4 ? RawFamilyOfIPv4 : RawFamilyOfIPv6;
        if (BeginsWithLength)
            (raw[0], raw[1]) = ((byte)length, (byte)family);
        else
            BitConverter.TryWriteBytes(raw, (ushort)family);
        BinaryPrimitives.WriteUInt16BigEndian(raw[2..], _port);
        WriteAddress(raw[(isIPv4 ? 4 : 8)..]);
        if (!isIPv4)
            BitConverter.TryWriteBytes(raw[24..], _scope);
        return length;
    }
}
