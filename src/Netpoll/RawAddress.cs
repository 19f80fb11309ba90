using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace NetGo.Netpoll;

/// <summary>An IPv4 or IPv6 address with its port in the system's form (struct sockaddr_in, sockaddr_in6), kept without an
/// object: what accept(2) gives, of which an end point is made only when somebody asks.</summary>
internal struct RawAddress
{
    private const int Capacity = 28;

    private Bytes _bytes;
    private byte _length;

    [InlineArray(Capacity)]
    private struct Bytes
    {
        private byte _first;
    }

    /// <summary>There is none, or it is of another kind.</summary>
    public readonly bool IsEmpty => _length == 0;

    /// <summary>The address's bytes, as long as this is not moved.</summary>
    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Span => ((ReadOnlySpan<byte>)_bytes)[.._length];

    public static RawAddress From(ReadOnlySpan<byte> raw)
    {
        RawAddress address = default;
        if (raw.Length <= Capacity)
        {
            raw.CopyTo(address._bytes);
            address._length = (byte)raw.Length;
        }
        return address;
    }
}
