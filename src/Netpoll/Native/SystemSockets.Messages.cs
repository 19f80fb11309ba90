using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace NetGo.Netpoll;

// Datagrams.
internal static unsafe partial class SystemSockets
{
    /// <summary>One datagram, what it is and who sent it.</summary>
    /// <returns>Its length, as far as the buffer goes.</returns>
    [SkipLocalsInit]
    public static int ReceiveFrom(nint socket, Span<byte> buffer, out DatagramInfo received)
    {
        byte* address = stackalloc byte[MaxAddressLength];
        int addressLength = MaxAddressLength;
        bool truncated;
        int n;
        fixed (byte* start = buffer)
        {
            n = OperatingSystem.IsWindows()
                ? WindowsSockets.ReceiveFrom(socket, start, buffer.Length, address, &addressLength, out truncated)
                : UnixSockets.ReceiveFrom(socket, start, buffer.Length, address, &addressLength, out truncated);
        }
        if (n < 0)
            received = default;
        else
            received = new DatagramInfo(n, AddressPort.FromRaw(new ReadOnlySpan<byte>(address, addressLength)), truncated);
        return n;
    }

    /// <param name="socket">A datagram socket.</param>
    /// <param name="family">The socket's.</param>
    /// <param name="datagram">All of it is sent or nothing.</param>
    /// <param name="address">The default value for where the socket is connected to.</param>
    [SkipLocalsInit]
    public static int SendTo(nint socket, AddressFamily family, ReadOnlySpan<byte> datagram, AddressPort address)
    {
        if (address.IsEmpty)
            return Send(socket, datagram);
        byte* raw = stackalloc byte[AddressPort.MaxRawLength];
        int rawLength = address.WriteRaw(new Span<byte>(raw, AddressPort.MaxRawLength), family);
        fixed (byte* start = datagram)
        {
            return OperatingSystem.IsWindows()
                ? WindowsSockets.SendTo(socket, start, datagram.Length, raw, rawLength)
                : UnixSockets.SendTo(socket, start, datagram.Length, raw, rawLength);
        }
    }

    /// <summary>As many datagrams as are there, at least one: with one call where the system has it.</summary>
    /// <param name="socket">A datagram socket.</param>
    /// <param name="buffer">One place after the other.</param>
    /// <param name="placeLength">Of each place, in bytes.</param>
    /// <param name="received">One for each place.</param>
    /// <returns>How many.</returns>
    public static int ReceiveMany(nint socket, Span<byte> buffer, int placeLength, Span<DatagramInfo> received)
    {
        if (!OperatingSystem.IsWindows() && UnixSockets.HasManyMessages)
        {
            fixed (byte* start = buffer)
                return UnixSockets.ReceiveMany(socket, start, placeLength, received);
        }
        int count = 0;
        while (count < received.Length)
        {
            int n = ReceiveFrom(socket, buffer.Slice(count * placeLength, placeLength), out received[count]);
            if (n < 0)
                return count > 0 ? count : n; // an error after some of them is only of what was sent before: it may be lost
            count++;
        }
        return count;
    }

    /// <summary>Sends datagrams, as many as there is room for, at least one: with one call where the system has it.</summary>
    /// <param name="socket">A datagram socket.</param>
    /// <param name="family">The socket's.</param>
    /// <param name="buffer">One place after the other.</param>
    /// <param name="placeLength">Of each place, in bytes.</param>
    /// <param name="sent">How long each is and where it goes.</param>
    /// <returns>How many.</returns>
    public static int SendMany(
        nint socket, AddressFamily family, ReadOnlySpan<byte> buffer, int placeLength, ReadOnlySpan<DatagramInfo> sent)
    {
        if (!OperatingSystem.IsWindows() && UnixSockets.HasManyMessages)
        {
            fixed (byte* start = buffer)
                return UnixSockets.SendMany(socket, family, start, placeLength, sent);
        }
        int count = 0;
        while (count < sent.Length)
        {
            int n = SendTo(socket, family, buffer.Slice(count * placeLength, sent[count].Length), sent[count].Address);
            if (n < 0)
                return count > 0 ? count : n; // an error after some of them comes again with the next call
            count++;
        }
        return count;
    }
}
