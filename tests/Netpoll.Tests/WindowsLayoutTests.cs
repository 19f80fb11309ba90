using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NetGo.Netpoll.Tests;

/// <summary>The layouts of the structs of 64-bit Windows, from winsock2.h, winternl.h, minwinbase.h, and ReactOS's afd/shared.h.</summary>
public sealed class WindowsLayoutTests
{
    [Fact]
    public void Io_status_block()
    {
        Assert.Equal(16, Unsafe.SizeOf<Afd.IoStatusBlock>());
        Assert.Equal([0, 8], Offsets<Afd.IoStatusBlock>("Status", "Information"));
    }

    [Fact]
    public void Afd_poll_info()
    {
        Assert.Equal(32, Unsafe.SizeOf<Afd.AfdPollInfo>());
        Assert.Equal([0, 8, 12, 16, 24, 28], Offsets<Afd.AfdPollInfo>("Timeout", "HandleCount", "Exclusive", "Handle", "Events", "Status"));
    }

    [Fact]
    public void A_poll_begins_with_its_status_as_an_overlapped_does()
    {
        Assert.Equal(48, Unsafe.SizeOf<Afd.AfdPoll>());
        Assert.Equal([0, 16], Offsets<Afd.AfdPoll>("Status", "Info"));
    }

    [Fact]
    public void A_slot_takes_two_cache_lines_and_leaves_a_bit_for_the_direction()
    {
        Assert.Equal(128, Unsafe.SizeOf<AfdSlot>());
        Assert.Equal([0, 48, 96], Offsets<AfdSlot>("Read", "Write", "Socket"));
        AfdSlot[] slots = GC.AllocateArray<AfdSlot>(3, pinned: true);
        Assert.Equal(0, (int)(Marshal.UnsafeAddrOfPinnedArrayElement(slots, 1) & 7));
    }

    [Fact]
    public void Overlapped_entry()
    {
        Assert.Equal(32, Unsafe.SizeOf<CompletionPort.Entry>());
        Assert.Equal([0, 8, 16, 24], Offsets<CompletionPort.Entry>("Key", "Overlapped", "Internal", "BytesTransferred"));
    }

    [Fact]
    public void Object_attributes_and_unicode_string()
    {
        Assert.Equal(48, Unsafe.SizeOf<Afd.ObjectAttributes>());
        Assert.Equal([0, 8, 16, 24, 32, 40], Offsets<Afd.ObjectAttributes>(
            "Length", "RootDirectory", "ObjectName", "Attributes", "SecurityDescriptor", "SecurityQualityOfService"));
        Assert.Equal(16, Unsafe.SizeOf<Afd.UnicodeString>());
        Assert.Equal([0, 2, 8], Offsets<Afd.UnicodeString>("Length", "MaximumLength", "Buffer"));
    }

    [Fact]
    public void Wsabuf_and_linger()
    {
        Assert.Equal(16, Unsafe.SizeOf<WindowsSockets.Buffer>());
        Assert.Equal([0, 8], Offsets<WindowsSockets.Buffer>("Length", "Base"));
        Assert.Equal(4, Unsafe.SizeOf<WindowsSockets.Linger>());
        Assert.Equal([0, 2], Offsets<WindowsSockets.Linger>("On", "Seconds"));
    }

    private static int[] Offsets<T>(params string[] fields) => [.. fields.Select(f => (int)Marshal.OffsetOf<T>(f))];
}
