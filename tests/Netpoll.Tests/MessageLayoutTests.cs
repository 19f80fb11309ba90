using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NetGo.Netpoll.Tests;

/// <summary>The layouts of the structs for messages on 64-bit systems, from Linux's and FreeBSD's headers.</summary>
public sealed class MessageLayoutTests
{
    [Fact]
    public void Mmsghdr_of_Linux()
    {
        Assert.Equal(64, Unsafe.SizeOf<UnixSockets.LinuxMessage>());
        Assert.Equal([0, 56], Offsets<UnixSockets.LinuxMessage>("Header", "Transferred"));
    }

    [Fact]
    public void Msghdr_of_the_BSDs()
    {
        Assert.Equal(48, Unsafe.SizeOf<UnixSockets.BsdMessageHeader>());
        Assert.Equal([0, 8, 16, 24, 32, 40, 44], Offsets<UnixSockets.BsdMessageHeader>(
            "Name", "NameLength", "Vectors", "VectorCount", "Control", "ControlLength", "Flags"));
    }

    [Fact]
    public void Mmsghdr_of_FreeBSD()
    {
        Assert.Equal(56, Unsafe.SizeOf<UnixSockets.BsdMessage>());
        Assert.Equal([0, 48], Offsets<UnixSockets.BsdMessage>("Header", "Transferred"));
    }

    private static int[] Offsets<T>(params string[] fields) => [.. fields.Select(f => (int)Marshal.OffsetOf<T>(f))];
}
