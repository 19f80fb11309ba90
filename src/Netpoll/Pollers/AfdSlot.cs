using System.Runtime.InteropServices;
using static NetGo.Netpoll.Afd;

namespace NetGo.Netpoll;

/// <summary>What <see cref="IocpPoller"/> keeps of a registered descriptor, where the kernel writes: two cache lines of memory that the
/// garbage collector does not move. <see cref="PollDesc.PollerData"/> points here.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AfdSlot
{
    public const int Free = 0;
    public const int ReadPending = 1 << (int)PollMode.Read;
    public const int WritePending = 1 << (int)PollMode.Write;
    public const int Pending = ReadPending | WritePending;
    public const int Open = 4;

    public AfdPoll Read;
    public AfdPoll Write;

    /// <summary>The socket's base handle; of a free one, the address of the next free one.</summary>
    public nint Socket;

    /// <summary>The handle of AFD by which it is polled; the same for life.</summary>
    public nint Device;

    /// <summary>The PollDesc's.</summary>
    public uint Index;

    /// <summary>The PollDesc's when it was registered.</summary>
    public uint Sequence;

    /// <summary>Who uses it: Open, ReadPending, WritePending.</summary>
    public int Uses;
}
