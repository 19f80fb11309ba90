namespace NetGo.Netpoll;

/// <summary>What there is to know of a datagram besides its bytes.</summary>
/// <param name="Length">In bytes. Of a datagram that was received: those that are in the buffer.</param>
/// <param name="Address">Who sent it, or whom it goes to. The default value for whom the socket is connected to.</param>
/// <param name="IsTruncated">It was longer than the buffer, and its end is lost.</param>
public readonly record struct DatagramInfo(int Length, AddressPort Address, bool IsTruncated = false);
