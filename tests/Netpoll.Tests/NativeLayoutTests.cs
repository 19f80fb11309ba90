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

    [Fact]
    public void Ucred()
    {
        Assert.Equal(12, Unsafe.SizeOf<UnixSockets.LinuxCredentials>());
        Assert.Equal([0, 4, 8], Offsets<UnixSockets.LinuxCredentials>("ProcessId", "UserId", "GroupId"));
    }

    [Fact]
    public void Status_of_files()
    {
        Assert.Equal(256, Unsafe.SizeOf<UnixFiles.LinuxStatus>());
        Assert.Equal([28, 32, 136, 140], Offsets<UnixFiles.LinuxStatus>("Mode", "Inode", "DeviceMajor", "DeviceMinor"));
        Assert.Equal(144, Unsafe.SizeOf<UnixFiles.MacStatus>());
        Assert.Equal([0, 4, 8], Offsets<UnixFiles.MacStatus>("Device", "Mode", "Inode"));
        Assert.Equal(224, Unsafe.SizeOf<UnixFiles.FreeBsdStatus>());
        Assert.Equal([0, 8, 24], Offsets<UnixFiles.FreeBsdStatus>("Device", "Inode", "Mode"));
    }

    private static int[] Offsets<T>(params string[] fields) => [.. fields.Select(f => (int)Marshal.OffsetOf<T>(f))];
}
