using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

public sealed class AddressPortTests
{
    [Theory]
    [InlineData("0.0.0.0", 0)]
    [InlineData("127.0.0.1", 80)]
    [InlineData("1.2.3.4", 65535)]
    [InlineData("::", 1)]
    [InlineData("::1", 0x1234)]
    [InlineData("2001:db8::1:2:3", 443)]
    [InlineData("::ffff:10.0.0.1", 53)]
    [InlineData("fe80::1%7", 5353)]
    public void An_end_point_there_and_back(string address, int port)
    {
        var endPoint = new IPEndPoint(IPAddress.Parse(address), port);
        AddressPort value = endPoint;
        Assert.Equal(endPoint, value.ToIPEndPoint());
        Assert.Equal(endPoint.AddressFamily, value.Family);
        Assert.Equal(endPoint.Address, value.Address);
        Assert.Equal(port, value.Port);
        Assert.Equal(endPoint.ToString(), value.ToString());
        Assert.False(value.IsEmpty);
        Assert.Equal(value, new AddressPort(endPoint.Address, port));
    }

    [Theory]
    [InlineData("127.0.0.1", 80)]
    [InlineData("::1", 0x1234)]
    [InlineData("2001:db8::1:2:3", 443)]
    [InlineData("fe80::1%7", 5353)]
    public void The_form_of_the_system_is_that_of_SocketAddress(string address, int port)
    {
        var endPoint = new IPEndPoint(IPAddress.Parse(address), port);
        SocketAddress expected = endPoint.Serialize();
        byte[] raw = new byte[AddressPort.MaxRawLength];
        Array.Fill<byte>(raw, 0xAA);
        int length = new AddressPort(endPoint).WriteRaw(raw, endPoint.AddressFamily);
        // On the BSDs the first byte is a length, which .NET leaves out and the system ignores.
        int compared = OperatingSystem.IsMacOS() || OperatingSystem.IsFreeBSD() ? 1 : 0;
        Assert.Equal(expected.Buffer.Span[compared..expected.Size].ToArray(), raw[compared..length]);
        Assert.Equal(new AddressPort(endPoint), AddressPort.FromRaw(raw.AsSpan(0, length)));
    }

    [Fact]
    public void What_is_no_IP_address_is_the_default_value()
    {
        Assert.Equal(default, AddressPort.FromRaw([]));
        Assert.Equal(default, AddressPort.FromRaw(new byte[16]));
        Assert.Equal(default, AddressPort.FromRaw(new UnixDomainSocketEndPoint("/tmp/some-name").Serialize().Buffer.Span[..16]));
        byte[] raw = new byte[AddressPort.MaxRawLength];
        int length = new AddressPort(IPAddress.IPv6Loopback, 1).WriteRaw(raw, AddressFamily.InterNetworkV6);
        Assert.Equal(default, AddressPort.FromRaw(raw.AsSpan(0, length - 1)));
        Assert.Equal(0, default(AddressPort).WriteRaw(raw, AddressFamily.InterNetwork));
        Assert.True(default(AddressPort).IsEmpty);
        Assert.Equal("", default(AddressPort).ToString());
        Assert.Throws<InvalidOperationException>(() => default(AddressPort).ToIPEndPoint());
    }

    [Fact]
    public void An_IPv4_address_is_another_than_its_mapped_one()
    {
        AddressPort ipv4 = new(IPAddress.Parse("10.1.2.3"), 7);
        AddressPort mapped = ipv4.MapToIPv6();
        Assert.NotEqual(ipv4, mapped);
        Assert.True(mapped.IsIPv4MappedToIPv6);
        Assert.False(ipv4.IsIPv4MappedToIPv6);
        Assert.Equal(IPAddress.Parse("::ffff:10.1.2.3"), mapped.Address);
        Assert.Equal(ipv4, mapped.MapToIPv4());
        Assert.Equal(mapped, mapped.MapToIPv6());
        AddressPort ipv6 = new(IPAddress.IPv6Loopback, 7);
        Assert.Equal(ipv6, ipv6.MapToIPv4());
        Assert.False(ipv6.IsIPv4MappedToIPv6);
        Assert.True(default(AddressPort).MapToIPv6().IsEmpty);
    }

    [Fact]
    public void A_socket_of_IPv6_is_given_mapped_addresses_and_one_of_IPv4_plain_ones()
    {
        AddressPort ipv4 = new(IPAddress.Parse("10.1.2.3"), 7);
        byte[] raw = new byte[AddressPort.MaxRawLength];
        Assert.Equal(ipv4.MapToIPv6(), AddressPort.FromRaw(raw.AsSpan(0, ipv4.WriteRaw(raw, AddressFamily.InterNetworkV6))));
        Assert.Equal(ipv4, AddressPort.FromRaw(raw.AsSpan(0, ipv4.MapToIPv6().WriteRaw(raw, AddressFamily.InterNetwork))));
    }

    [Fact]
    public void Each_part_makes_a_difference()
    {
        AddressPort[] all =
        [
            default, new(IPAddress.Any, 0), new(IPAddress.IPv6Any, 0), new(IPAddress.Loopback, 1), new(IPAddress.Loopback, 2),
            new(IPAddress.Parse("fe80::1%1"), 1), new(IPAddress.Parse("fe80::1%2"), 1), new(IPAddress.Parse("fe81::1%1"), 1),
        ];
        Assert.Equal(all.Length, all.ToHashSet().Count);
        for (int i = 0; i < all.Length; i++)
        {
            for (int k = 0; k < all.Length; k++)
            {
                Assert.Equal(i == k, all[i] == all[k]);
                Assert.Equal(i != k, all[i] != all[k]);
            }
        }
    }

    [Fact]
    public void A_port_has_16_bits()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new AddressPort(IPAddress.Loopback, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AddressPort(IPAddress.Loopback, 65536));
    }
}
