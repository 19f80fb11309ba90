using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NetGo.Netpoll.Tests;

/// <summary>The layouts of the system's structs on 64-bit Linux, from the kernel's headers.</summary>
public sealed class NativeLayoutTests
{
    [Fact]
    public void Epoll_event_packed()
    {
        Assert.Equal(12, Unsafe.SizeOf<Epoll.PackedEvent>());
        Assert.Equal([0, 4], Offsets<Epoll.PackedEvent>("Events", "Data"));
    }

    [Fact]
    public void Epoll_event_aligned()
    {
        Assert.Equal(16, Unsafe.SizeOf<Epoll.AlignedEvent>());
        Assert.Equal([0, 8], Offsets<Epoll.AlignedEvent>("Events", "Data"));
    }

    [Fact]
    public void Iovec()
    {
        Assert.Equal(16, Unsafe.SizeOf<IOVector>());
        Assert.Equal([0, 8], Offsets<IOVector>("Base", "Length"));
    }

    [Fact]
    public void Msghdr()
    {
        Assert.Equal(56, Unsafe.SizeOf<UnixSockets.LinuxMessageHeader>());
        Assert.Equal([0, 8, 16, 24, 32, 40, 48], Offsets<UnixSockets.LinuxMessageHeader>(
            "Name", "NameLength", "Vectors", "VectorCount", "Control", "ControlLength", "Flags"));
    }

    private static int[] Offsets<T>(params string[] fields) => [.. fields.Select(f => (int)Marshal.OffsetOf<T>(f))];
}
