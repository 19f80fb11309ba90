using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll;

/// <summary>An IP address and a port as a value, which an <see cref="IPEndPoint"/> is not: what comes with each datagram, without
/// an object for it. Go's netip.AddrPort. Two are equal when family, address, scope and port are: an IPv4 address and the IPv6
/// one that it is mapped to are not, as in Go.</summary>
public readonly partial struct AddressPort : IEquatable<AddressPort>
{
    private const ulong MappedPrefix = 0xFFFFUL << 32; // ::ffff:0:0/96
    private const int IPv6Length = 16;

    // In the order of the network, read as numbers: 16 bytes of IPv6, or 4 of IPv4 at the end of _low.
    private readonly ulong _high;
    private readonly ulong _low;
    private readonly uint _scope;
    private readonly ushort _port;
    private readonly byte _version; // of IP; 0 in the default value

    private AddressPort(byte version, ulong high, ulong low, uint scope, ushort port)
    {
        _version = version;
        _high = high;
        _low = low;
        _scope = scope;
        _port = port;
    }

    /// <summary>The value of an end point.</summary>
    public AddressPort(IPEndPoint endPoint)
        : this((endPoint ?? throw new ArgumentNullException(nameof(endPoint))).Address, endPoint.Port)
    {
    }

    /// <param name="address">Of either family.</param>
    /// <param name="port">From 0 to 65535.</param>
    /// <exception cref="ArgumentOutOfRangeException">The port is not one.</exception>
    public AddressPort(IPAddress address, int port)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentOutOfRangeException.ThrowIfNegative(port);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, ushort.MaxValue);
        Span<byte> bytes = stackalloc byte[IPv6Length];
        _ = address.TryWriteBytes(bytes, out int length);
        this = length == IPv6Length
            ? FromIPv6(bytes, (uint)address.ScopeId, (ushort)port)
            : FromIPv4(bytes, (ushort)port);
    }

    // Bytes as on the wire.
    private static AddressPort FromIPv4(ReadOnlySpan<byte> bytes, ushort port) =>
        new(4, 0, BinaryPrimitives.ReadUInt32BigEndian(bytes), 0, port);

    private static AddressPort FromIPv6(ReadOnlySpan<byte> bytes, uint scope, ushort port) =>
        new(6, BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]), scope, port);

    /// <summary>It is the default value: no address.</summary>
    public bool IsEmpty => _version == 0;

    /// <summary>Of the address; <see cref="AddressFamily.Unspecified"/> when there is none.</summary>
    public AddressFamily Family => _version switch
    {
        4 => AddressFamily.InterNetwork,
        6 => AddressFamily.InterNetworkV6,
        _ => AddressFamily.Unspecified,
    };

    /// <summary>The port.</summary>
    public int Port => _port;

    /// <summary>The interface of a link-local IPv6 address; 0 for none.</summary>
    public long ScopeId => _scope;

    /// <summary>The address, as a new object.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public IPAddress Address
    {
        get
        {
            Span<byte> bytes = stackalloc byte[IPv6Length];
            int length = WriteAddress(bytes);
            return length switch
            {
                0 => throw new InvalidOperationException("There is no address: this is the default value."),
                IPv6Length => new IPAddress(bytes, _scope),
                _ => new IPAddress(bytes[..length]),
            };
        }
    }

    /// <summary>Whether it is an IPv4 address in IPv6's form (::ffff:1.2.3.4), which is how a socket for both sees IPv4.
    /// </summary>
    public bool IsIPv4MappedToIPv6 => _version == 6 && _high == 0 && (_low & ~(ulong)uint.MaxValue) == MappedPrefix;

    /// <summary>An IPv4 address in IPv6's form; any other as it is.</summary>
    public AddressPort MapToIPv6() => _version == 4 ? new AddressPort(6, 0, MappedPrefix | _low, 0, _port) : this;

    /// <summary>An IPv4 address in IPv6's form as IPv4; any other as it is. Go's Addr.Unmap.</summary>
    public AddressPort MapToIPv4() => IsIPv4MappedToIPv6 ? new AddressPort(4, 0, (uint)_low, 0, _port) : this;

    /// <summary>As a new object.</summary>
    /// <exception cref="InvalidOperationException">There is no address.</exception>
    public IPEndPoint ToIPEndPoint() => new(Address, _port);

    // 4 or 16 bytes, as on the wire; how many.
    private int WriteAddress(Span<byte> destination)
    {
        switch (_version)
        {
            case 4:
                BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)_low);
                return sizeof(uint);
            case 6:
                BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
                BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
                return IPv6Length;
            default:
                return 0;
        }
    }

    /// <summary>The value of an end point.</summary>
    [SuppressMessage("Usage", "CA2225", Justification = "The named alternative is the constructor.")]
    public static implicit operator AddressPort(IPEndPoint endPoint) => new(endPoint);

    /// <inheritdoc/>
    public bool Equals(AddressPort other) =>
        _low == other._low && _high == other._high && _port == other._port && _scope == other._scope &&
        _version == other._version;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is AddressPort other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_low, _high, _port, _scope);

    /// <summary>Whether two are equal.</summary>
    public static bool operator ==(AddressPort left, AddressPort right) => left.Equals(right);

    /// <summary>Whether two are not equal.</summary>
    public static bool operator !=(AddressPort left, AddressPort right) => !left.Equals(right);

    /// <summary>"1.2.3.4:80", "[::1]:80"; nothing for the default value.</summary>
    public override string ToString() => IsEmpty ? "" : ToIPEndPoint().ToString();
}
