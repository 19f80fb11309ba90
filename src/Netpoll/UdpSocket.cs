using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace NetGo.Netpoll;

/// <summary>A datagram socket over the poller; Go's net.UDPConn. One goroutine may receive while another sends; any may close.
/// Receiving and sending try the system call first and park the goroutine only when it would block. Neither allocates, waiting or
/// not.</summary>
/// <remarks>A datagram is received whole or cut, never in pieces, and sent whole or not at all. That one has been sent does not
/// mean that it arrives.</remarks>
public sealed class UdpSocket : NetSocket
{
    private readonly AddressFamily _family;
    private readonly IPEndPoint? _remote;
    private DatagramReceive? _receive;
    private DatagramSend? _send;

    internal UdpSocket(GoScheduler scheduler, INetPoller poller, nint descriptor, AddressFamily family, IPEndPoint? remote)
        : base(scheduler, poller, descriptor)
    {
        _family = family;
        _remote = remote;
    }

    internal override string Noun => "socket";

    /// <summary>To what it is connected; null when it is not.</summary>
    public IPEndPoint? RemoteEndPoint => _remote;

    // ---- Opening ----

    /// <summary>Receives what is sent to an address, and may send from it to any; on the current scheduler. Go's ListenUDP.
    /// </summary>
    /// <param name="address">"host:port", ":port" for all addresses, "[v6]:port". Port 0 is any free one.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="FormatException">The address is none of these.</exception>
    /// <exception cref="SocketException">The address is in use, or not allowed.</exception>
    public static UdpSocket Bind(string address, UdpOptions? options = null) => Bind(SocketAddresses.Parse(address), options);

    /// <summary>Receives what is sent to an end point, and may send from it to any; on the current scheduler. Go's ListenUDP.
    /// </summary>
    /// <param name="endPoint">Port 0 is any free one.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="SocketException">The address is in use, or not allowed.</exception>
    public static UdpSocket Bind(IPEndPoint endPoint, UdpOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        return Open(GoScheduler.Current, endPoint.AddressFamily, endPoint, null, options ?? new UdpOptions());
    }

    /// <summary>Sends to one end point and receives only what comes from there; on the current scheduler. It hears when nobody
    /// listens there, except on Windows: then a later operation fails with <see cref="SocketError.ConnectionRefused"/>. Nothing
    /// is sent by this, and it does not wait. Go's DialUDP.</summary>
    /// <param name="endPoint">The other end.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="SocketException">There is no way there, or the address of this end is in use or not allowed.</exception>
    public static UdpSocket Connect(IPEndPoint endPoint, UdpOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        options ??= new UdpOptions();
        AddressFamily family = options.LocalEndPoint?.AddressFamily ?? endPoint.AddressFamily;
        return Open(GoScheduler.Current, family, options.LocalEndPoint, endPoint, options);
    }

    internal static UdpSocket Open(
        GoScheduler scheduler, AddressFamily family, IPEndPoint? local, IPEndPoint? remote, UdpOptions options)
    {
        INetPoller poller = PollerSelection.ForNewSocket(scheduler);
        string doing = remote is null ? $"bind to {local}" : $"connect to {remote}";
        nint socket = SystemSockets.Open(family, SocketType.Dgram, ProtocolType.Udp, out int error);
        if (socket < 0)
            throw SystemSockets.ExceptionFor(error, doing);
        try
        {
            SetOptions(socket, family, options, doing);
            Span<byte> raw = stackalloc byte[AddressPort.MaxRawLength];
            if (local is not null)
                SystemSockets.Require(SystemSockets.Bind(socket, raw[..new AddressPort(local).WriteRaw(raw, family)]), doing);
            if (remote is not null)
                SystemSockets.Require(SystemSockets.Connect(socket, raw[..new AddressPort(remote).WriteRaw(raw, family)]), doing);
            return new UdpSocket(scheduler, poller, socket, family, remote);
        }
        catch
        {
            _ = SystemSockets.Close(socket);
            throw;
        }
    }

    private static void SetOptions(nint socket, AddressFamily family, UdpOptions options, string doing)
    {
        if (options.ShareAddress && OperatingSystem.IsWindows())
            Set(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, 1);
        else if (options.ShareAddress)
            SystemSockets.Require(UnixSockets.ShareDatagramAddress(socket), doing);
        if (options.Broadcast)
            Set(SocketOptionLevel.Socket, SocketOptionName.Broadcast, 1);
        if (options.ReceiveBufferSize > 0)
            Set(SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer, options.ReceiveBufferSize);
        if (options.SendBufferSize > 0)
            Set(SocketOptionLevel.Socket, SocketOptionName.SendBuffer, options.SendBufferSize);
        if (family == AddressFamily.InterNetworkV6)
            Set(SocketOptionLevel.IPv6, SocketOptionName.IPv6Only, options.DualMode ? 0 : 1);

        void Set(SocketOptionLevel level, SocketOptionName name, int value) =>
            SystemSockets.Require(SystemSockets.SetOption(socket, level, name, value), doing);
    }

    // ---- Groups ----

    /// <summary>Receives what is sent to a multicast group, too.</summary>
    /// <param name="group">Its address.</param>
    /// <param name="interfaceIndex">On which interface; 0, the default, for the one that the system chooses.</param>
    /// <exception cref="SocketException">It is no group, or the system refused.</exception>
    /// <exception cref="ObjectDisposedException">The socket has been closed.</exception>
    public void JoinMulticastGroup(IPAddress group, int interfaceIndex = 0) => SetMembership(group, interfaceIndex, join: true);

    /// <summary>Ends a <see cref="JoinMulticastGroup"/> with the same arguments.</summary>
    /// <inheritdoc cref="JoinMulticastGroup" path="/param"/>
    /// <exception cref="SocketException">It has not joined the group.</exception>
    /// <exception cref="ObjectDisposedException">The socket has been closed.</exception>
    public void LeaveMulticastGroup(IPAddress group, int interfaceIndex = 0) => SetMembership(group, interfaceIndex, join: false);

    private void SetMembership(IPAddress group, int interfaceIndex, bool join)
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentOutOfRangeException.ThrowIfNegative(interfaceIndex);
        AddReference();
        try
        {
            string doing = $"{(join ? "join" : "leave")} {group}";
            SystemSockets.Require(SystemSockets.SetMembership(Descriptor, group, interfaceIndex, join), doing);
        }
        finally
        {
            Release();
        }
    }

    // ---- Receiving ----

    /// <summary>Receives a datagram, and tells who sent it; Go's ReadFromUDPAddrPort.</summary>
    /// <param name="buffer">Where to. What is longer is cut, which the result tells. When it is empty, waits until there is a
    /// datagram, and leaves it there.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is lost.</param>
    /// <exception cref="IOException">The socket failed; the inner <see cref="SocketException"/> says how. It can still be used.
    /// </exception>
    /// <exception cref="TimeoutException">The read deadline has passed.</exception>
    /// <exception cref="ObjectDisposedException">The socket has been closed.</exception>
    /// <exception cref="InvalidOperationException">Another goroutine waits to receive.</exception>
    public ValueTask<DatagramInfo> ReceiveFromAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<DatagramInfo>(cancellationToken);
        AddReference();
        int n = TryReceive(buffer.Span, out DatagramInfo received);
        if (n == SystemSockets.WouldBlock)
            return ReceiveLater().StartFromAsync(buffer, cancellationToken);
        Release();
        if (n < 0)
            return ValueTask.FromException<DatagramInfo>(FailureOf(-n, "receive"));
        return Machine.SpendBudget() ? Go.YieldAsync(received) : new ValueTask<DatagramInfo>(received);
    }

    /// <summary>Receives a datagram, on a connected socket: it is clear who sent it. Go's Read.</summary>
    /// <param name="buffer">Where to. When it is empty, waits until there is a datagram, and leaves it there.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is lost.</param>
    /// <returns>Its length, which may be 0.</returns>
    /// <exception cref="IOException">The socket failed; the inner <see cref="SocketException"/> says how. It can still be used.
    /// <see cref="SocketError.MessageSize"/>: the datagram was longer than the buffer, which has its beginning.</exception>
    /// <inheritdoc cref="ReceiveFromAsync" path="/exception[not(contains(@cref, 'IOException'))]"/>
    public ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<int>(cancellationToken);
        AddReference();
        int n = TryReceive(buffer.Span, out DatagramInfo received);
        if (n == SystemSockets.WouldBlock)
            return ReceiveLater().StartAsync(buffer, cancellationToken);
        Release();
        if (n < 0)
            return ValueTask.FromException<int>(FailureOf(-n, "receive"));
        if (received.IsTruncated)
            return ValueTask.FromException<int>(Truncated());
        return Machine.SpendBudget() ? Go.YieldAsync(n) : new ValueTask<int>(n);
    }

    /// <summary>Receives as many datagrams as are there and have room, with one system call on Linux and FreeBSD (recvmmsg(2));
    /// waits for the first.</summary>
    /// <param name="batch">Where to. What it has is lost.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is lost.</param>
    /// <returns>How many, at least one.</returns>
    /// <inheritdoc cref="ReceiveFromAsync" path="/exception"/>
    public ValueTask<int> ReceiveBatchAsync(DatagramBatch batch, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<int>(cancellationToken);
        AddReference();
        int count = TryReceive(batch);
        if (count == SystemSockets.WouldBlock)
            return ReceiveLater().StartBatchAsync(batch, cancellationToken);
        Release();
        if (count < 0)
            return ValueTask.FromException<int>(FailureOf(-count, "receive"));
        return Machine.SpendBudget() ? Go.YieldAsync(count) : new ValueTask<int>(count);
    }

    /// <summary>Receives a datagram that is there, or looks for one when the buffer is empty. Its length,
    /// <see cref="SystemSockets.WouldBlock"/>, or a negative error.</summary>
    internal int TryReceive(Span<byte> buffer, out DatagramInfo received)
    {
        received = default;
        if (Desc.HasExpired(PollMode.Read))
            return SystemSockets.WouldBlock;
        return buffer.IsEmpty
            ? Math.Min(0, SystemSockets.Peek(Descriptor))
            : SystemSockets.ReceiveFrom(Descriptor, buffer, out received);
    }

    /// <summary>Receives the datagrams that are there. How many, <see cref="SystemSockets.WouldBlock"/>, or a negative error.
    /// </summary>
    internal int TryReceive(DatagramBatch batch) =>
        Desc.HasExpired(PollMode.Read) ? SystemSockets.WouldBlock : batch.Receive(Descriptor);

    // ---- Sending ----

    /// <summary>Sends a datagram; Go's WriteToUDPAddrPort. A socket of IPv6 that is for both takes IPv4 addresses too.</summary>
    /// <param name="datagram">All of it is sent or nothing.</param>
    /// <param name="address">Whom to. An <see cref="IPEndPoint"/> does, too.</param>
    /// <param name="cancellationToken">Ends the wait; then nothing has been sent.</param>
    /// <exception cref="IOException">The socket failed; the inner <see cref="SocketException"/> says how. It can still be used.
    /// <see cref="SocketError.MessageSize"/>: the datagram is longer than one can be.</exception>
    /// <exception cref="TimeoutException">The write deadline has passed.</exception>
    /// <exception cref="ObjectDisposedException">The socket has been closed.</exception>
    /// <exception cref="InvalidOperationException">Another goroutine waits to send.</exception>
    public ValueTask SendToAsync(
        ReadOnlyMemory<byte> datagram, AddressPort address, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        AddReference();
        int n = TrySend(datagram.Span, address);
        return n == SystemSockets.WouldBlock
            ? SendLater().StartAsync(datagram, address, cancellationToken)
            : Sent(n);
    }

    /// <summary>Sends a datagram to whom the socket is connected to; Go's Write.</summary>
    /// <param name="datagram">All of it is sent or nothing.</param>
    /// <param name="cancellationToken">Ends the wait; then nothing has been sent.</param>
    /// <inheritdoc cref="SendToAsync" path="/exception"/>
    public ValueTask SendAsync(ReadOnlyMemory<byte> datagram, CancellationToken cancellationToken = default) =>
        SendToAsync(datagram, default, cancellationToken);

    /// <summary>Sends all datagrams of a batch, each to its own address, with one system call on Linux and FreeBSD (sendmmsg(2))
    /// as long as there is room. <see cref="DatagramBatch.Sent"/> says how many of them, when it fails or is cancelled.</summary>
    /// <param name="batch">Not changed but for <see cref="DatagramBatch.Sent"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <inheritdoc cref="SendToAsync" path="/exception"/>
    public ValueTask SendBatchAsync(DatagramBatch batch, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.Sent = 0;
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        AddReference();
        int n = TrySendRest(batch);
        return n == SystemSockets.WouldBlock
            ? SendLater().StartBatchAsync(batch, cancellationToken)
            : Sent(n);
    }

    // Calls that need not wait may be made by several at once, each for a datagram of its own; only one may wait.
    private DatagramReceive ReceiveLater()
    {
        Release();
        BeginOperation(PollMode.Read);
        return _receive ??= new DatagramReceive(this);
    }

    private DatagramSend SendLater()
    {
        Release();
        BeginOperation(PollMode.Write);
        return _send ??= new DatagramSend(this);
    }

    // Without a wait.
    private ValueTask Sent(int n)
    {
        Release();
        if (n < 0)
            return ValueTask.FromException(FailureOf(-n, "send"));
        return Machine.SpendBudget() ? Go.YieldAsync() : default;
    }

    /// <summary>Sends a datagram if there is room. Not negative, <see cref="SystemSockets.WouldBlock"/>, or a negative error.
    /// </summary>
    internal int TrySend(ReadOnlySpan<byte> datagram, AddressPort address) =>
        Desc.HasExpired(PollMode.Write) ? SystemSockets.WouldBlock : SystemSockets.SendTo(Descriptor, _family, datagram, address);

    /// <summary>Sends the rest of a batch. 0, <see cref="SystemSockets.WouldBlock"/>, or a negative error.</summary>
    internal int TrySendRest(DatagramBatch batch) =>
        Desc.HasExpired(PollMode.Write) ? SystemSockets.WouldBlock : batch.SendRest(Descriptor, _family);

    // ---- Errors ----

    /// <summary>The exception for a (positive) error of the system.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static IOException FailureOf(int error, string doing)
    {
        SocketException inner = SystemSockets.ExceptionFor(error, doing);
        return new IOException($"The socket failed: {inner.Message}", inner);
    }

    /// <summary>A datagram did not fit where that is an error.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static IOException Truncated() => new(
        "The datagram was longer than the buffer, and its end is lost: use a longer one, or ReceiveFromAsync, which tells of it.",
        new SocketException((int)SocketError.MessageSize));
}
