using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace NetGo.Netpoll.Tests;

public sealed class UdpSocketTests : IDisposable
{
    private readonly UdpHarness _net = new();

    public void Dispose() => _net.Dispose();

    private static byte[] Pattern(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static IPEndPoint EndPointOf(Socket socket) => (IPEndPoint)socket.LocalEndPoint!;

    private static IPEndPoint EndPointOf(UdpSocket socket) => (IPEndPoint)socket.LocalEndPoint;

    private static void Failed(SocketError expected, IOException e) =>
        Assert.Equal(expected, Assert.IsType<SocketException>(e.InnerException).SocketErrorCode);

    private async Task Fails(SocketError expected, Func<Task> operation) =>
        Failed(expected, await Assert.ThrowsAsync<IOException>(() => _net.Run(operation)));

    private Task<T> Throws<T>(Func<Task> operation)
        where T : Exception => Assert.ThrowsAnyAsync<T>(() => _net.Run(operation));

    // ---- Receiving and sending ----

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Echo(string address)
    {
        UdpSocket socket = _net.Bind(IPAddress.Parse(address));
        Socket peer = _net.NewPeer(IPAddress.Parse(address));
        Assert.NotEqual(0, EndPointOf(socket).Port);
        Task echo = _net.Run(async () =>
        {
            byte[] buffer = new byte[2000];
            DatagramInfo received;
            do
            {
                received = await socket.ReceiveFromAsync(buffer);
                Assert.Equal(new AddressPort(EndPointOf(peer)), received.Address);
                Assert.False(received.IsTruncated);
                await socket.SendToAsync(buffer.AsMemory(0, received.Length), received.Address);
            }
            while (received.Length > 0);
        });
        byte[] answer = new byte[2000];
        for (int i = 300; i >= 0; i--) // the last is empty
        {
            byte[] sent = Pattern(i * 5, i);
            peer.SendTo(sent, EndPointOf(socket));
            EndPoint from = EndPointOf(peer);
            Assert.Equal(sent.Length, peer.ReceiveFrom(answer, ref from));
            Assert.Equal(sent, answer[..sent.Length]);
            Assert.Equal(socket.LocalEndPoint, from);
        }
        await echo;
    }

    [Fact]
    public async Task Public_faces_use_the_current_scheduler()
    {
        byte[] buffer = new byte[10];
        await _net.Run(async () =>
        {
            using UdpSocket a = UdpSocket.Bind("127.0.0.1:0"), b = UdpSocket.Connect((IPEndPoint)a.LocalEndPoint);
            Assert.Same(_net.Scheduler, b.Scheduler);
            await b.SendAsync(new byte[] { 1, 2, 3 });
            DatagramInfo received = await a.ReceiveFromAsync(buffer);
            Assert.Equal(new DatagramInfo(3, EndPointOf(b)), received);
            await a.SendToAsync(new byte[] { 4 }, EndPointOf(b)); // an IPEndPoint does
            Assert.Equal(1, await b.ReceiveAsync(buffer));
            Assert.Equal(4, buffer[0]);
        });
    }

    [Fact]
    public async Task A_socket_for_both_takes_and_sends_IPv4_as_mapped_addresses()
    {
        UdpSocket socket = _net.Bind(IPAddress.IPv6Any);
        Socket ipv4 = _net.NewPeer(), ipv6 = _net.NewPeer(IPAddress.IPv6Loopback);
        int port = EndPointOf(socket).Port;
        byte[] buffer = new byte[10];
        foreach (Socket peer in new[] { ipv4, ipv6 })
        {
            peer.SendTo([1], new IPEndPoint(EndPointOf(peer).Address, port));
            DatagramInfo received = await _net.Run(async () => await socket.ReceiveFromAsync(buffer));
            Assert.Equal(new AddressPort(EndPointOf(peer)).MapToIPv6(), received.Address);
            await _net.Run(async () => await socket.SendToAsync(new byte[2], received.Address));
            Assert.Equal(2, peer.Receive(buffer));
            await _net.Run(async () => await socket.SendToAsync(new byte[3], EndPointOf(peer))); // not mapped
            Assert.Equal(3, peer.Receive(buffer));
        }
    }

    [Fact]
    public void A_socket_for_IPv6_alone_leaves_the_port_of_IPv4_to_others()
    {
        UdpSocket socket = _net.Bind(IPAddress.IPv6Any, new UdpOptions { DualMode = false });
        _net.Bind(IPAddress.Any, port: EndPointOf(socket).Port);
        UdpSocket both = _net.Bind(IPAddress.IPv6Any);
        var e = Assert.Throws<SocketException>(() => _net.Bind(IPAddress.Any, port: EndPointOf(both).Port));
        Assert.Equal(SocketError.AddressAlreadyInUse, e.SocketErrorCode);
        Assert.Contains("bind to 0.0.0.0", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_datagram_that_is_too_long_is_cut_and_that_is_told(bool parked)
    {
        UdpSocket socket = _net.Bind();
        Socket peer = _net.NewPeer();
        byte[] sent = Pattern(100, 1), buffer = new byte[99];
        Task<T> Receive<T>(Func<ValueTask<T>> operation)
        {
            Task<T>? receive = parked ? _net.Parked(operation) : null;
            peer.SendTo(sent, EndPointOf(socket));
            return receive ?? _net.Run(async () => await operation());
        }

        DatagramInfo received = await Receive(() => socket.ReceiveFromAsync(buffer));
        Assert.Equal(new DatagramInfo(99, EndPointOf(peer), IsTruncated: true), received);
        Assert.Equal(sent[..99], buffer);
        Failed(SocketError.MessageSize, await Assert.ThrowsAsync<IOException>(() => Receive(() => socket.ReceiveAsync(buffer))));
        buffer = new byte[100];
        Assert.Equal(100, await Receive(() => socket.ReceiveAsync(buffer)));
        Assert.Equal(sent, buffer);
        Assert.False((await Receive(() => socket.ReceiveFromAsync(buffer))).IsTruncated);
    }

    [Fact]
    public async Task A_datagram_longer_than_one_can_be_is_refused_and_the_socket_goes_on()
    {
        UdpSocket socket = _net.Bind();
        Socket peer = _net.NewPeer();
        await Fails(SocketError.MessageSize, async () => await socket.SendToAsync(new byte[70_000], EndPointOf(peer)));
        await _net.Run(async () => await socket.SendToAsync(new byte[65_000], EndPointOf(peer)));
        Assert.Equal(65_000, peer.Receive(new byte[70_000]));
    }

    [Fact]
    public async Task A_receive_into_nothing_waits_for_a_datagram_and_leaves_it()
    {
        UdpSocket socket = _net.Bind();
        Socket peer = _net.NewPeer();
        Task<DatagramInfo> wait = _net.Parked(() => socket.ReceiveFromAsync(Memory<byte>.Empty));
        peer.SendTo([1, 2, 3], EndPointOf(socket));
        Assert.Equal(default, await wait);
        Assert.Equal(0, await _net.Run(async () => await socket.ReceiveAsync(Memory<byte>.Empty)));
        Assert.Equal(3, await _net.Run(async () => await socket.ReceiveAsync(new byte[10])));
        wait = _net.Parked(() => socket.ReceiveFromAsync(Memory<byte>.Empty)); // nothing is left
        peer.SendTo([], EndPointOf(socket));
        await wait;
        Assert.Equal(0, await _net.Run(async () => await socket.ReceiveAsync(new byte[10])));
    }

    // ---- Connected ----

    [Fact]
    public async Task A_connected_socket_hears_only_its_peer()
    {
        Socket peer = _net.NewPeer(), stranger = _net.NewPeer();
        UdpSocket socket = _net.Connect(peer.LocalEndPoint!);
        Assert.Equal(peer.LocalEndPoint, socket.RemoteEndPoint);
        Assert.Null(_net.Bind().RemoteEndPoint);
        await _net.Run(async () => await socket.SendAsync(new byte[4]));
        EndPoint from = EndPointOf(peer);
        Assert.Equal(4, peer.ReceiveFrom(new byte[10], ref from));
        Assert.Equal(socket.LocalEndPoint, from);
        stranger.SendTo([1, 2], from);
        peer.SendTo([1, 2, 3], from);
        DatagramInfo received = await _net.Run(async () => await socket.ReceiveFromAsync(new byte[10]));
        Assert.Equal(new DatagramInfo(3, EndPointOf(peer)), received);
    }

    [Theory]
    [InlineData("127.0.0.2", "127.0.0.1", "127.0.0.2")]
    [InlineData("::", "127.0.0.1", "::ffff:127.0.0.1")]
    [InlineData("::1", "::1", "::1")]
    public async Task A_connected_socket_may_have_an_address_of_its_own(string local, string remote, string then)
    {
        Assert.SkipWhen(Wine.IsHere && local == "127.0.0.2", "Wine makes 127.0.0.1 of it, for System.Net.Sockets too.");
        Socket peer = _net.NewPeer(IPAddress.Parse(remote));
        await _net.Run(async () =>
        {
            var options = new UdpOptions { LocalEndPoint = new IPEndPoint(IPAddress.Parse(local), 0) };
            using UdpSocket socket = UdpSocket.Connect(EndPointOf(peer), options);
            Assert.Equal(IPAddress.Parse(then), EndPointOf(socket).Address);
            await socket.SendAsync(new byte[1]);
        });
        Assert.Equal(1, peer.Receive(new byte[10]));
    }

    [Fact]
    public async Task That_nobody_listens_is_an_error_and_the_socket_goes_on()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows is told not to: it would fail receives of other datagrams.");
        IPEndPoint nobody;
        using (UdpSocket gone = _net.Bind())
            nobody = EndPointOf(gone);
        UdpSocket socket = _net.Connect(nobody);
        Task<int> receive = _net.Parked(() => socket.ReceiveAsync(new byte[10])); // the error wakes it
        await _net.Run(async () => await socket.SendAsync(new byte[1]));
        Failed(SocketError.ConnectionRefused, await Assert.ThrowsAsync<IOException>(() => receive));
        await _net.Run(async () => await socket.SendAsync(new byte[1]));
        await Fails(SocketError.ConnectionRefused, async () => await socket.SendAsync(new byte[1]));
        await _net.Run(async () => await socket.SendAsync(new byte[1]));
        await Fails(SocketError.ConnectionRefused, async () => await socket.ReceiveBatchAsync(new DatagramBatch(1, 10)));
        UdpSocket there = _net.Bind(port: nobody.Port);
        await _net.Run(async () => await socket.SendAsync(new byte[7]));
        Assert.Equal(7, await _net.Run(async () => await there.ReceiveAsync(new byte[10])));
    }

    [Fact]
    public async Task What_is_not_connected_needs_an_address()
    {
        // Winsock's send() says so; Wine has no such word for what Linux says.
        SocketError expected = Wine.IsHere ? SocketError.InvalidArgument
            : OperatingSystem.IsWindows() ? SocketError.NotConnected : SocketError.DestinationAddressRequired;
        UdpSocket socket = _net.Bind();
        await Fails(expected, async () => await socket.SendAsync(new byte[1]));
    }

    // ---- Options ----

    [Fact]
    public async Task Broadcast_is_allowed_unless_it_is_switched_off()
    {
        var broadcast = new IPEndPoint(IPAddress.Parse("127.255.255.255"), EndPointOf(_net.NewPeer(IPAddress.Any)).Port);
        UdpSocket socket = _net.Bind(), without = _net.Bind(options: new UdpOptions { Broadcast = false });
        await _net.Run(async () => await socket.SendToAsync(new byte[1], broadcast));
        await Fails(SocketError.AccessDenied, async () => await without.SendToAsync(new byte[1], broadcast));
    }

    [Fact]
    public void Buffer_sizes_are_set()
    {
        UdpSocket socket = _net.Bind(options: new UdpOptions { ReceiveBufferSize = 20_000, SendBufferSize = 30_000 });
        // Linux doubles them, for its own overhead (socket(7)).
        int receive = Get(SocketOptionName.ReceiveBuffer), send = Get(SocketOptionName.SendBuffer);
        Assert.True(receive is 20_000 or 40_000, $"{receive}");
        Assert.True(send is 30_000 or 60_000, $"{send}");

        int Get(SocketOptionName name)
        {
            Assert.Equal(0, SystemSockets.GetOption(socket.Descriptor, SocketOptionLevel.Socket, name, out int value));
            return value;
        }
    }

    [Fact]
    public async Task Several_sockets_share_an_address_when_all_say_so()
    {
        var share = new UdpOptions { ShareAddress = true };
        UdpSocket first = _net.Bind(options: share);
        int port = EndPointOf(first).Port;
        UdpSocket second = _net.Bind(options: share, port: port);
        Assert.Throws<SocketException>(() => _net.Bind(port: port));
        if (!SystemSockets.CanShareAddress)
            return;
        int[] counts = new int[2];
        foreach (var (socket, index) in new[] { (first, 0), (second, 1) })
        {
            _net.Scheduler.Spawn(async () =>
            {
                try
                {
                    while (true)
                    {
                        await socket.ReceiveFromAsync(new byte[10]);
                        Interlocked.Increment(ref counts[index]);
                    }
                }
                catch (ObjectDisposedException)
                {
                }
            });
        }
        const int Senders = 64; // each goes to one of the two by a hash: that all go to the same is as likely as 2 to the -63
        for (int i = 0; i < Senders; i++)
            await _net.Run(async () => await _net.Bind().SendToAsync(new byte[1], new IPEndPoint(IPAddress.Loopback, port)));
        Bounded.Until(() => Volatile.Read(ref counts[0]) + Volatile.Read(ref counts[1]) == Senders, "all received");
        Assert.All(counts, count => Assert.True(count > 0));
        first.Close();
        second.Close();
    }

    [Theory]
    [InlineData("239.1.2.3")]
    [InlineData("ff01::1234")]
    public async Task What_is_sent_to_a_group_comes_to_those_who_have_joined_it(string address)
    {
        var group = IPAddress.Parse(address);
        bool isIPv6 = group.AddressFamily == AddressFamily.InterNetworkV6;
        IPAddress any = isIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        int index = isIPv6 ? IndexOfMulticastInterface() : LoopbackIndex;
        Assert.SkipWhen(index == 0, "no interface has multicast over IPv6");
        Assert.SkipWhen(Wine.IsHere && !isIPv6, "Wine hands IP_MULTICAST_IF to Linux, which takes no interface number there.");
        UdpSocket socket = _net.Bind(any);
        Socket peer = _net.NewPeer(any);
        if (isIPv6)
            peer.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastInterface, index);
        else
            peer.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.HostToNetworkOrder(index));
        var target = new IPEndPoint(group, EndPointOf(socket).Port);

        socket.JoinMulticastGroup(group, index);
        peer.SendTo([1], target);
        Assert.Equal(1, await _net.Run(async () => await socket.ReceiveAsync(new byte[10])));

        socket.LeaveMulticastGroup(group, index);
        peer.SendTo([1, 2], target);
        peer.SendTo([1, 2, 3], new IPEndPoint(isIPv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, target.Port));
        Assert.Equal(3, await _net.Run(async () => await socket.ReceiveAsync(new byte[10])));

        Assert.Throws<SocketException>(() => socket.LeaveMulticastGroup(group, index));
        Assert.Throws<SocketException>(() => socket.JoinMulticastGroup(isIPv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback));
        socket.Close();
        Assert.Throws<ObjectDisposedException>(() => socket.JoinMulticastGroup(group));
    }

    private static int LoopbackIndex => NetworkInterface.GetAllNetworkInterfaces()
        .First(i => i.NetworkInterfaceType == NetworkInterfaceType.Loopback).GetIPProperties().GetIPv4Properties().Index;

    // Linux has no way to ff00::/8 over the loopback interface. What is sent to ff01::/16 leaves the machine over none.
    private static int IndexOfMulticastInterface() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(i => i.OperationalStatus == OperationalStatus.Up && i.Supports(NetworkInterfaceComponent.IPv6) &&
            i.NetworkInterfaceType != NetworkInterfaceType.Loopback && i.SupportsMulticast)
        .Select(i => i.GetIPProperties().GetIPv6Properties().Index).FirstOrDefault();

    // ---- Deadlines, cancellation, close ----

    [Fact]
    public async Task A_deadline_is_a_TimeoutException_and_the_socket_goes_on()
    {
        UdpSocket socket = _net.Bind();
        Socket peer = _net.NewPeer();
        Task<DatagramInfo> receive = _net.Parked(() => socket.ReceiveFromAsync(new byte[10]));
        socket.SetReadDeadline(TimeSpan.FromMilliseconds(20)); // set while it is parked
        await Assert.ThrowsAsync<TimeoutException>(() => receive);
        peer.SendTo([1], EndPointOf(socket));
        // It has passed: not even what is there is received.
        await Throws<TimeoutException>(async () => await socket.ReceiveFromAsync(new byte[10]));
        await Throws<TimeoutException>(async () => await socket.ReceiveBatchAsync(new DatagramBatch(1, 10)));
        socket.SetReadDeadline(null);
        Assert.Equal(1, await _net.Run(async () => await socket.ReceiveAsync(new byte[10])));
        socket.SetWriteDeadline(TimeSpan.Zero);
        await Throws<TimeoutException>(async () => await socket.SendToAsync(new byte[10], EndPointOf(peer)));
    }

    [Fact]
    public async Task Cancellation_ends_the_wait_and_the_socket_goes_on()
    {
        UdpSocket socket = _net.Bind();
        Socket peer = _net.NewPeer();
        for (int i = 0; i < 20; i++)
        {
            using var source = new CancellationTokenSource();
            Task<int> receive = i % 2 == 0
                ? _net.Parked(() => socket.ReceiveAsync(new byte[10], source.Token))
                : _net.Parked(() => socket.ReceiveBatchAsync(new DatagramBatch(1, 10), source.Token));
            await source.CancelAsync();
            var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receive);
            Assert.Equal(source.Token, e.CancellationToken);
            receive = _net.Parked(() => socket.ReceiveAsync(new byte[10]));
            peer.SendTo([1, 2, 3], EndPointOf(socket));
            Assert.Equal(3, await receive);
        }
        CancellationToken cancelled = new(true);
        peer.SendTo([1], EndPointOf(socket));
        await Throws<OperationCanceledException>(async () => await socket.ReceiveFromAsync(new byte[10], cancelled));
        await Throws<OperationCanceledException>(async () => await socket.SendToAsync(new byte[10], EndPointOf(peer), cancelled));
    }

    [Fact]
    public async Task Close_ends_what_is_parked_and_all_that_comes_later()
    {
        for (int i = 0; i < 20; i++)
        {
            UdpSocket socket = _net.Bind();
            Task<DatagramInfo> receive = _net.Parked(() => socket.ReceiveFromAsync(new byte[10]));
            await Task.Run(socket.Close);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => receive);
        }
        UdpSocket closed = _net.Bind();
        closed.Close();
        DatagramBatch batch = new(1, 10);
        batch.Add(1, new AddressPort(IPAddress.Loopback, 9));
        foreach (Func<Task> use in new Func<Task>[]
        {
            () => closed.ReceiveFromAsync(new byte[1]).AsTask(),
            () => closed.ReceiveAsync(new byte[1]).AsTask(),
            () => closed.ReceiveBatchAsync(batch).AsTask(),
            () => closed.SendAsync(new byte[1]).AsTask(),
            () => closed.SendToAsync(new byte[1], batch[0].Address).AsTask(),
            () => closed.SendBatchAsync(batch).AsTask(),
        })
        {
            await Assert.ThrowsAsync<ObjectDisposedException>(() => _net.Run(use));
        }
    }

    [Fact]
    public async Task A_second_receiver_is_refused_and_the_first_receives_on()
    {
        UdpSocket socket = _net.Bind();
        Task<int> receive = _net.Parked(() => socket.ReceiveAsync(new byte[10]));
        var e = await Throws<InvalidOperationException>(async () => await socket.ReceiveFromAsync(new byte[10]));
        Assert.Contains("reading from this socket", e.Message, StringComparison.Ordinal);
        _net.NewPeer().SendTo([1, 2], EndPointOf(socket));
        Assert.Equal(2, await receive);
    }

    // ---- Sends that wait ----

    [Fact]
    public async Task A_send_waits_for_room()
    {
        var (sender, receiver) = _net.NewPairThatFills();
        int before = UdpHarness.Fill(sender);
        Task send = _net.Parked(() => sender.SendAsync(new byte[5]));
        for (int i = 0; i < before; i++)
            Assert.Equal(1, receiver.Receive(new byte[10]));
        await send;
        Assert.Equal(5, receiver.Receive(new byte[10]));
    }

    [Fact]
    public async Task A_batch_waits_for_room_as_often_as_it_has_to()
    {
        var (sender, receiver) = _net.NewPairThatFills();
        const int size = 4000; // together more than the send buffer: net.unix.max_dgram_qlen is 10 at first, but 512 where systemd has begun
        DatagramBatch batch = new(200, size);
        for (int i = 0; i < batch.Capacity; i++)
        {
            byte[] datagram = new byte[size];
            BinaryPrimitives.WriteInt32LittleEndian(datagram, i);
            batch.Add(datagram);
        }
        Task send = _net.Parked(() => sender.SendBatchAsync(batch));
        Assert.InRange(batch.Sent, 1, batch.Count - 1);
        byte[] received = new byte[size];
        for (int i = 0; i < batch.Capacity; i++)
        {
            Assert.Equal(size, receiver.Receive(received));
            Assert.Equal(i, BinaryPrimitives.ReadInt32LittleEndian(received));
        }
        await send;
        Assert.Equal(batch.Count, batch.Sent);
    }

    [Fact]
    public async Task Deadline_cancellation_and_close_end_a_send_that_waits()
    {
        var (sender, _) = _net.NewPairThatFills();
        UdpHarness.Fill(sender);
        DatagramBatch batch = new(2, 1);
        batch.Add(1);
        foreach (Func<CancellationToken, ValueTask> operation in new Func<CancellationToken, ValueTask>[]
        {
            token => sender.SendAsync(new byte[1], token),
            token => sender.SendBatchAsync(batch, token),
        })
        {
            Task send = _net.Parked(() => operation(default));
            sender.SetWriteDeadline(TimeSpan.FromMilliseconds(20));
            await Assert.ThrowsAsync<TimeoutException>(() => send);
            sender.SetWriteDeadline(null);
            using var source = new CancellationTokenSource();
            send = _net.Parked(() => operation(source.Token));
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => send);
        }
        Assert.Equal(0, batch.Sent);
        Task last = _net.Parked(() => sender.SendAsync(new byte[1]));
        await Throws<InvalidOperationException>(async () => await sender.SendBatchAsync(batch));
        sender.Close();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => last);
    }

    // ---- Batches ----

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_batch_takes_what_is_there(bool parked)
    {
        UdpSocket socket = _net.Bind();
        Socket[] peers = [_net.NewPeer(), _net.NewPeer(), _net.NewPeer()];
        DatagramBatch batch = new(7, 50);
        for (int round = 0; round < 5; round++)
        {
            Task<int>? first = parked ? _net.Parked(() => socket.ReceiveBatchAsync(batch)) : null;
            const int Count = 20;
            for (int i = 0; i < Count; i++)
                peers[i % peers.Length].SendTo(Pattern(i * 3, i), EndPointOf(socket)); // up to 57 bytes
            for (int i = 0; i < Count;)
            {
                int n = await (first ?? _net.Run(async () => await socket.ReceiveBatchAsync(batch)));
                if (!parked)
                    Assert.Equal(Math.Min(batch.Capacity, Count - i), n);
                Assert.Equal(n, batch.Count);
                for (int k = 0; k < n; k++, i++)
                {
                    AddressPort sender = EndPointOf(peers[i % peers.Length]);
                    Assert.Equal(new DatagramInfo(Math.Min(i * 3, 50), sender, IsTruncated: i * 3 > 50), batch[k]);
                    Assert.Equal(Pattern(i * 3, i)[..Math.Min(i * 3, 50)], batch.Data(k).ToArray());
                }
                first = null;
            }
        }
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::")] // for both: the addresses in it are mapped ones, or IPv6
    public async Task What_was_received_can_be_sent_back_as_it_is(string address)
    {
        UdpSocket socket = _net.Bind(IPAddress.Parse(address), new UdpOptions { ReceiveBufferSize = 1 << 20 });
        List<Socket> peers = [];
        for (int i = 0; i < 30; i++)
            peers.Add(_net.NewPeer(i % 2 == 0 || address != "::" ? IPAddress.Loopback : IPAddress.IPv6Loopback));
        for (int i = 0; i < peers.Count; i++)
            peers[i].SendTo(Pattern(i + 1, i), new IPEndPoint(EndPointOf(peers[i]).Address, EndPointOf(socket).Port));
        await _net.Run(async () =>
        {
            DatagramBatch batch = new(DatagramBatch.MaxCapacity, 100);
            Assert.Equal(peers.Count, await socket.ReceiveBatchAsync(batch));
            for (int i = 0; i < batch.Count; i++)
            {
                batch.Place(i).Span[batch[i].Length] = (byte)i; // one byte more
                batch[i] = batch[i] with { Length = batch[i].Length + 1 };
            }
            await socket.SendBatchAsync(batch);
            Assert.Equal(peers.Count, batch.Sent);
        });
        for (int i = 0; i < peers.Count; i++)
        {
            byte[] answer = new byte[100];
            Assert.Equal(i + 2, peers[i].Receive(answer));
            Assert.Equal([.. Pattern(i + 1, i), (byte)i], answer[..(i + 2)]);
        }
    }

    [Fact]
    public async Task A_batch_that_fails_in_the_middle_says_where()
    {
        Socket peer = _net.NewPeer();
        UdpSocket socket = _net.Connect(peer.LocalEndPoint!);
        DatagramBatch batch = new(4, 70_000);
        batch.Add([1]);
        batch.Add([2]);
        batch.Add(70_000);
        batch.Add([4]);
        await Fails(SocketError.MessageSize, async () => await socket.SendBatchAsync(batch));
        Assert.Equal(2, batch.Sent);
        batch[2] = default;
        await _net.Run(async () => await socket.SendBatchAsync(batch)); // again from the beginning
        Assert.Equal(4, batch.Sent);
        Assert.Equal([1, 1, 1, 1, 0, 1], Enumerable.Range(0, 6).Select(_ => peer.Receive(new byte[10])));
    }

    [Fact]
    public async Task An_empty_batch_is_sent_at_once()
    {
        UdpSocket socket = _net.Bind();
        await _net.Run(async () => await socket.SendBatchAsync(new DatagramBatch(4, 10)));
    }

    // ---- Where it runs ----

    [Fact]
    public async Task It_is_polled_by_the_processor_of_the_goroutine_that_opens_it()
    {
        using var net = new UdpHarness(2);
        HashSet<INetPoller> seen = [];
        await net.Run(async () =>
        {
            for (int i = 0; i < 1000; i++)
            {
                int processor = Machine.OfThisThread!.Pin(out int previous)!.Index;
                INetPoller here = PollerSelection.For(net.Scheduler, processor);
                using UdpSocket socket = UdpSocket.Bind("127.0.0.1:0");
                bool same = socket.Poller == here;
                Machine.OfThisThread!.Unpin(previous);
                Assert.True(same);
                await Go.YieldAsync();
            }
        });
        for (int i = 0; i < 10; i++)
            seen.Add(net.Bind().Poller); // by a thread that runs none
        Assert.Equal(2, seen.Count);
    }

    [Theory]
    [InlineData("receive")]
    [InlineData("receive batch")]
    [InlineData("send")]
    [InlineData("send batch")]
    public async Task One_that_never_parks_does_not_starve_another(string how)
    {
        using var net = new UdpHarness(Bounded.NewSchedulerWithoutTimeSlices(1));
        UdpSocket socket = net.Bind();
        Socket peer = net.NewPeer();
        bool stop = false;
        int turns = 0;
        Task busy = net.Scheduler.RunAsync(async () =>
        {
            byte[] datagram = new byte[1];
            DatagramBatch batch = new(1, 1);
            AddressPort address = EndPointOf(peer), self = EndPointOf(socket);
            while (!Volatile.Read(ref stop))
            {
                if (how.StartsWith("receive", StringComparison.Ordinal))
                    socket.TrySend(datagram, self); // it is there at once, and costs no budget
                switch (how)
                {
                    case "receive":
                        await socket.ReceiveFromAsync(datagram);
                        break;
                    case "receive batch":
                        await socket.ReceiveBatchAsync(batch);
                        break;
                    case "send":
                        await socket.SendToAsync(datagram, address);
                        break;
                    default:
                        batch.Clear();
                        batch.Add(1, address);
                        await socket.SendBatchAsync(batch);
                        break;
                }
                turns++;
            }
        });
        // Each turn has a round trip to Wine's server, or two, and a goroutine has some hundred turns before it lets others run.
        var (enough, others) = Wine.IsHere ? (100, 2) : (10_000, 10);
        Bounded.Until(() => Volatile.Read(ref turns) > enough, "it is busy");
        for (int i = 0; i < others; i++)
            await net.Scheduler.RunAsync(async () => await Go.YieldAsync()).Within();
        Volatile.Write(ref stop, true);
        await busy.Within();
    }

    // ---- Allocation ----

    [Fact]
    public void What_need_not_wait_allocates_nothing()
    {
        UdpSocket socket = _net.Bind(), connected = _net.Connect(socket.LocalEndPoint);
        AddressPort address = EndPointOf(connected);
        byte[] datagram = new byte[10];
        DatagramBatch batch = new(8, 10);
        Exchange();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            Exchange();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Exchange()
        {
            Done(connected.SendAsync(datagram));
            DatagramInfo received = Result(socket.ReceiveFromAsync(datagram));
            Assert.True(received.Address == address);
            Done(socket.SendToAsync(datagram, received.Address));
            Assert.True(Result(connected.ReceiveAsync(datagram)) == 10);
            batch.Clear();
            for (int i = 0; i < 8; i++)
                batch.Add(datagram);
            Done(connected.SendBatchAsync(batch));
            Assert.True(Result(socket.ReceiveBatchAsync(batch)) == 8);
        }

        static void Done(ValueTask task)
        {
            Assert.True(task.IsCompletedSuccessfully);
            task.GetAwaiter().GetResult();
        }

        static T Result<T>(ValueTask<T> task)
        {
            Assert.True(task.IsCompletedSuccessfully);
            return task.Result;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_waits_allocates_nothing_either(bool inBatches)
    {
        Assert.SkipWhen(Wine.IsHere, "Under Wine .NET boxes the ValueTaskAwaiter of each wait (GCAllocationTick).");
        const int WarmUp = 2_000;
        const int Count = 10_000;
        UdpSocket left = _net.Bind(), right = _net.Connect(left.LocalEndPoint);
        AddressPort address = EndPointOf(right);
        // The counter is the process's: what others allocate may fall into one round, but not into all.
        long least = long.MaxValue;
        for (int round = 0; round < 5 && least >= Count; round++)
        {
            long allocated = await _net.Run(async () =>
            {
                Task echo = _net.Scheduler.RunAsync(() => EchoAsync(left, WarmUp + Count, inBatches));
                byte[] datagram = new byte[10];
                await PingAsync(right, datagram, WarmUp);
                long before = GC.GetTotalAllocatedBytes(precise: true);
                await PingAsync(right, datagram, Count);
                long after = GC.GetTotalAllocatedBytes(precise: true);
                await echo;
                return after - before;
            });
            least = Math.Min(least, allocated);
        }
        Assert.True(least < Count, $"at least {least} bytes for {Count} datagrams there and back");
    }

    private static async Task PingAsync(UdpSocket socket, byte[] datagram, int count)
    {
        for (int i = 0; i < count; i++)
        {
            await socket.SendAsync(datagram);
            await socket.ReceiveAsync(datagram);
        }
    }

    private static async Task EchoAsync(UdpSocket socket, int count, bool inBatches)
    {
        byte[] datagram = new byte[10];
        DatagramBatch batch = new(4, 10);
        for (int i = 0; i < count; i++)
        {
            if (inBatches)
            {
                await socket.ReceiveBatchAsync(batch);
                await socket.SendBatchAsync(batch);
                continue;
            }
            DatagramInfo received = await socket.ReceiveFromAsync(datagram);
            await socket.SendToAsync(datagram, received.Address);
        }
    }
}
