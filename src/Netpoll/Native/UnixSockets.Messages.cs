using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

// Datagrams: recvmsg(2) and sendto(2), and many at once with recvmmsg(2) and sendmmsg(2) where the C library has them. The former
// skip the GC transition like all other calls here; the latter do not, since their work is worth many of it.
internal static unsafe partial class UnixSockets
{
    private static int MSG_TRUNC => IsLinux ? 0x20 : 0x10;

    /// <summary>Of Linux and FreeBSD.</summary>
    public static bool HasManyMessages => !IsMac;

    // ---- One ----

    /// <summary>One datagram, and who sent it.</summary>
    /// <param name="socket">A datagram socket.</param>
    /// <param name="buffer">Where to.</param>
    /// <param name="length">In bytes. What is longer is cut, which <paramref name="truncated"/> tells.</param>
    /// <param name="address">Where the sender's address is put.</param>
    /// <param name="addressLength">In: the room; out: what the address takes.</param>
    /// <param name="truncated">Whether its end is lost.</param>
    public static int ReceiveFrom(nint socket, byte* buffer, int length, byte* address, int* addressLength, out bool truncated)
    {
        IOVector vector = new() { Base = buffer, Length = (nuint)length };
        return IsLinux
            ? ReceiveOne<LinuxMessage>((int)socket, &vector, address, addressLength, out truncated)
            : ReceiveOne<BsdMessage>((int)socket, &vector, address, addressLength, out truncated);
    }

    private static int ReceiveOne<T>(int socket, IOVector* vector, byte* address, int* addressLength, out bool truncated)
        where T : unmanaged, IMessage
    {
        T message = default;
        message.Prepare(address, (uint)*addressLength, vector);
        while (true)
        {
            int n = (int)ReceiveMessage(socket, &message, 0);
            if (n >= 0)
            {
                *addressLength = (int)message.NameLength;
                truncated = (message.Flags & MSG_TRUNC) != 0;
                return n;
            }
            int error = LastError;
            if (error == EINTR)
                continue;
            truncated = false;
            return error == EAGAIN ? SystemSockets.WouldBlock : -error;
        }
    }

    /// <param name="socket">A datagram socket.</param>
    /// <param name="buffer">The datagram.</param>
    /// <param name="length">In bytes.</param>
    /// <param name="address">Where it goes; null for where the socket is connected to.</param>
    /// <param name="addressLength">In bytes.</param>
    public static int SendTo(nint socket, byte* buffer, int length, byte* address, int addressLength)
    {
        while (true)
        {
            int n = (int)SendTo((int)socket, buffer, length, MSG_NOSIGNAL, address, (uint)addressLength);
            if (n >= 0)
                return n;
            int error = LastError;
            if (error == EAGAIN)
                return SystemSockets.WouldBlock;
            if (error != EINTR)
                return -error;
        }
    }

    // ---- Many ----

    /// <summary>As many datagrams as are there, at least one.</summary>
    /// <param name="socket">A datagram socket.</param>
    /// <param name="buffer">One place after the other.</param>
    /// <param name="placeLength">Of each place, in bytes.</param>
    /// <param name="received">One for each place.</param>
    /// <returns>How many.</returns>
    public static int ReceiveMany(nint socket, byte* buffer, int placeLength, Span<DatagramInfo> received) => IsLinux
        ? ReceiveMany<LinuxMessage>((int)socket, buffer, placeLength, received)
        : ReceiveMany<BsdMessage>((int)socket, buffer, placeLength, received);

    [SkipLocalsInit]
    private static int ReceiveMany<T>(int socket, byte* buffer, int placeLength, Span<DatagramInfo> received)
        where T : unmanaged, IMessage
    {
        T* messages = stackalloc T[received.Length];
        IOVector* vectors = stackalloc IOVector[received.Length];
        byte* names = stackalloc byte[received.Length * AddressPort.MaxRawLength];
        for (int i = 0; i < received.Length; i++)
        {
            vectors[i] = new IOVector { Base = buffer + ((nint)i * placeLength), Length = (nuint)placeLength };
            messages[i].Prepare(names + (i * AddressPort.MaxRawLength), AddressPort.MaxRawLength, &vectors[i]);
        }
        int count;
        do
            count = ReceiveMessages(socket, messages, (nuint)received.Length, 0, null);
        while (count < 0 && Marshal.GetLastPInvokeError() == EINTR);
        if (count < 0)
            return ManyError();
        for (int i = 0; i < count; i++)
        {
            int nameLength = (int)Math.Min(messages[i].NameLength, AddressPort.MaxRawLength);
            var address = AddressPort.FromRaw(new ReadOnlySpan<byte>(names + (i * AddressPort.MaxRawLength), nameLength));
            received[i] = new DatagramInfo(messages[i].Length, address, (messages[i].Flags & MSG_TRUNC) != 0);
        }
        return count;
    }

    /// <summary>Sends datagrams, as many as there is room for, at least one.</summary>
    /// <param name="socket">A datagram socket.</param>
    /// <param name="family">The socket's.</param>
    /// <param name="buffer">One place after the other.</param>
    /// <param name="placeLength">Of each place, in bytes.</param>
    /// <param name="sent">How long each is and where it goes; nowhere for where the socket is connected to.</param>
    /// <returns>How many.</returns>
    public static int SendMany(
        nint socket, AddressFamily family, byte* buffer, int placeLength, ReadOnlySpan<DatagramInfo> sent) => IsLinux
        ? SendMany<LinuxMessage>((int)socket, family, buffer, placeLength, sent)
        : SendMany<BsdMessage>((int)socket, family, buffer, placeLength, sent);

    [SkipLocalsInit]
    private static int SendMany<T>(
        int socket, AddressFamily family, byte* buffer, int placeLength, ReadOnlySpan<DatagramInfo> sent)
        where T : unmanaged, IMessage
    {
        T* messages = stackalloc T[sent.Length];
        IOVector* vectors = stackalloc IOVector[sent.Length];
        byte* names = stackalloc byte[sent.Length * AddressPort.MaxRawLength];
        for (int i = 0; i < sent.Length; i++)
        {
            byte* name = names + (i * AddressPort.MaxRawLength);
            int nameLength = sent[i].Address.WriteRaw(new Span<byte>(name, AddressPort.MaxRawLength), family);
            vectors[i] = new IOVector { Base = buffer + ((nint)i * placeLength), Length = (nuint)sent[i].Length };
            messages[i].Prepare(nameLength == 0 ? null : name, (uint)nameLength, &vectors[i]);
        }
        int count;
        do
            count = SendMessages(socket, messages, (nuint)sent.Length, MSG_NOSIGNAL);
        while (count < 0 && Marshal.GetLastPInvokeError() == EINTR);
        return count < 0 ? ManyError() : count;
    }

    private static int ManyError()
    {
        int error = Marshal.GetLastPInvokeError();
        return error == EAGAIN ? SystemSockets.WouldBlock : -error;
    }

    // ---- The C library ----

    /// <summary>struct mmsghdr: a struct msghdr, and what was done with it.</summary>
    public interface IMessage
    {
        /// <summary>For a call, with one piece of memory. Sets all fields that the system reads.</summary>
        void Prepare(byte* name, uint nameLength, IOVector* vector);

        uint NameLength { get; }

        int Flags { get; }

        /// <summary>Only after one of the calls for many.</summary>
        int Length { get; }
    }

    /// <summary>Of Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct LinuxMessage : IMessage
    {
        public LinuxMessageHeader Header;
        public uint Transferred;

        public void Prepare(byte* name, uint nameLength, IOVector* vector) =>
            Header = new LinuxMessageHeader { Name = name, NameLength = nameLength, Vectors = vector, VectorCount = 1 };

        public readonly uint NameLength => Header.NameLength;

        public readonly int Flags => Header.Flags;

        public readonly int Length => (int)Transferred;
    }

    /// <summary>Of FreeBSD; on macOS only the header is used.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct BsdMessage : IMessage
    {
        public BsdMessageHeader Header;
        public nint Transferred;

        public void Prepare(byte* name, uint nameLength, IOVector* vector) =>
            Header = new BsdMessageHeader { Name = name, NameLength = nameLength, Vectors = vector, VectorCount = 1 };

        public readonly uint NameLength => Header.NameLength;

        public readonly int Flags => Header.Flags;

        public readonly int Length => (int)Transferred;
    }

    [LibraryImport("libc", EntryPoint = "recvmsg")]
    [SuppressGCTransition]
    private static partial nint ReceiveMessage(int socket, void* message, int flags);

    [LibraryImport("libc", EntryPoint = "sendto")]
    [SuppressGCTransition]
    private static partial nint SendTo(int socket, byte* buffer, nint length, int flags, byte* address, uint addressLength);

    // Both count and result are 32 bits wide on Linux and 64 on FreeBSD. Passed and taken as 64 and 32 they are right on either.

    [LibraryImport("libc", EntryPoint = "recvmmsg", SetLastError = true)]
    private static partial int ReceiveMessages(int socket, void* messages, nuint count, int flags, void* timeout);

    [LibraryImport("libc", EntryPoint = "sendmmsg", SetLastError = true)]
    private static partial int SendMessages(int socket, void* messages, nuint count, int flags);
}
