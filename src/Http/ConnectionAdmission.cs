using System.Buffers.Binary;
using System.Net;

namespace NetGo.Http;

// Which connections are open, for the limits on their number: those of the server, and those that handlers have taken over. Of each one's
// address something is kept only when there is a limit per address. Any thread may call.
internal sealed class ConnectionAdmission(int max, int maxPerAddress)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<UInt128, int> _byAddress = [];
    private readonly Dictionary<object, UInt128> _addresses = [];
    private int _count;

    /// <summary>Whether there is room for one more. Each connection that has entered leaves once.</summary>
    public bool TryEnter(object connection, EndPoint? remote)
    {
        UInt128? address = maxPerAddress < int.MaxValue && remote is IPEndPoint ip ? KeyOf(ip.Address) : null;
        lock (_lock)
        {
            if (_count >= max)
                return false;
            if (address is { } key)
            {
                int others = _byAddress.GetValueOrDefault(key);
                if (others >= maxPerAddress)
                    return false;
                _byAddress[key] = others + 1;
                _addresses.Add(connection, key);
            }
            _count++;
            return true;
        }
    }

    public void Leave(object connection)
    {
        lock (_lock)
        {
            _count--;
            if (!_addresses.Remove(connection, out UInt128 key))
                return;
            int left = _byAddress[key] - 1;
            if (left == 0)
                _byAddress.Remove(key);
            else
                _byAddress[key] = left;
        }
    }

    // One who has IPv6 has at least a /64 of it to himself.
    private static UInt128 KeyOf(IPAddress address)
    {
        bool isIPv4 = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork || address.IsIPv4MappedToIPv6;
        Span<byte> bytes = stackalloc byte[16];
        address.MapToIPv6().TryWriteBytes(bytes, out _);
        UInt128 whole = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        return isIPv4 ? whole : whole >> 64 << 64;
    }
}
