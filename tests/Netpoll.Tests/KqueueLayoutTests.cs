using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NetGo.Netpoll.Tests;

/// <summary>The layouts of the structs of kqueue(2) on 64-bit systems, from the headers that Kqueue.cs names.</summary>
public sealed class KqueueLayoutTests
{
    private static readonly string[] s_fields = ["Identifier", "Filter", "Flags", "FilterFlags", "Data", "UserData"];

    [Fact]
    public void Kevent_of_macOS_and_libkqueue()
    {
        Assert.Equal(32, Unsafe.SizeOf<Kqueue.Event>());
        Assert.Equal([0, 8, 10, 12, 16, 24], Offsets<Kqueue.Event>(s_fields));
    }

    [Fact]
    public void Kevent_of_FreeBSD_begins_likewise()
    {
        Assert.Equal(64, Unsafe.SizeOf<Kqueue.FreeBsdEvent>());
        Assert.Equal([0, 32], Offsets<Kqueue.FreeBsdEvent>("Common", "Extensions"));
        Assert.Equal(Kqueue.MaxEventSize, Unsafe.SizeOf<Kqueue.FreeBsdEvent>());
    }

    [Fact]
    public void Timespec()
    {
        Assert.Equal(16, Unsafe.SizeOf<Kqueue.TimeSpecification>());
        Assert.Equal([0, 8], Offsets<Kqueue.TimeSpecification>("Seconds", "Nanoseconds"));
    }

    private static int[] Offsets<T>(params string[] fields) => [.. fields.Select(f => (int)Marshal.OffsetOf<T>(f))];
}
