using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;

namespace NetGo.Netpoll.Tests;

[UnsupportedOSPlatform("windows")]
public sealed class UnixListenerTests : IDisposable
{
    private const UnixFileMode All = (UnixFileMode)0x1FF; // 0777

    private readonly TempDirectory _temp = new();
    private readonly GoScheduler _scheduler = Bounded.NewScheduler(2);

    private string SocketPath => _temp["s"];

    private UnixDomainSocketEndPoint EndPoint => new(SocketPath);

    public UnixListenerTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Sockets have no files there, and are not inherited");

    public void Dispose()
    {
        Bounded.NoneLeft(_scheduler);
        _scheduler.Dispose();
        _temp.Dispose();
    }

    private NetListener Listen(ListenOptions? options = null) => NetListener.Listen(_scheduler, EndPoint, options);

    private static Socket NewSocket(SocketType type = SocketType.Stream) => new(AddressFamily.Unix, type, ProtocolType.Unspecified);

    private static SocketError ErrorOf(Action action) => Assert.Throws<SocketException>(action).SocketErrorCode;

    private void LeaveStaleFile() => Listen(new ListenOptions { UnlinkOnClose = false }).Close();

    private async Task EchoesAsync(NetListener listener, EndPoint address)
    {
        Task serve = _scheduler.RunAsync(async () =>
        {
            using NetConnection connection = await listener.AcceptAsync();
            byte[] buffer = new byte[16];
            int n = await connection.ReadAsync(buffer);
            await connection.WriteAsync(buffer.AsMemory(0, n));
            Assert.Equal(0, await connection.ReadAsync(buffer));
        });
        using Socket peer = NewSocket();
        await peer.ConnectAsync(address).Within();
        await peer.SendAsync("hello"u8.ToArray());
        byte[] answer = new byte[16];
        Assert.Equal("hello", Encoding.ASCII.GetString(answer, 0, await peer.ReceiveAsync(answer).Within()));
        peer.Dispose();
        await serve.Within();
    }

    [Fact]
    public async Task A_path()
    {
        using NetListener listener = Listen();
        Assert.Equal(EndPoint, listener.LocalEndPoint);
        Assert.Equal(1, listener.ShardCount);
        await EchoesAsync(listener, EndPoint);
        await EchoesAsync(listener, EndPoint);
        listener.Close();
        Assert.False(Path.Exists(SocketPath));
    }

    [Fact]
    public async Task An_abstract_name()
    {
        var name = new UnixDomainSocketEndPoint($"\0netgo-{Guid.NewGuid():N}");
        using NetListener listener = NetListener.Listen(_scheduler, name, null);
        Assert.Equal(name, listener.LocalEndPoint);
        await EchoesAsync(listener, name);
        Assert.Equal(SocketError.AddressAlreadyInUse, ErrorOf(() => NetListener.Listen(_scheduler, name, null)));
        listener.Close();
        Bounded.NoneLeft(_scheduler); // who accepts has to see the close
        NetListener.Listen(_scheduler, name, null).Close();
    }

    [Fact]
    public void An_abstract_name_in_an_address()
    {
        string name = $"netgo-{Guid.NewGuid():N}";
        using NetListener listener = NetListener.Listen($"unix:@{name}");
        Assert.Equal(new UnixDomainSocketEndPoint($"\0{name}"), listener.LocalEndPoint);
    }

    [Fact]
    public async Task A_path_in_an_address()
    {
        using NetListener listener = NetListener.Listen($"unix:{SocketPath}");
        Assert.Equal(EndPoint, listener.LocalEndPoint);
        await EchoesAsync(listener, EndPoint);
    }

    [Theory]
    [InlineData("unix:")]
    [InlineData("unix:@")]
    [InlineData("unix:/tmp/a\0b")]
    public void What_is_no_address(string address) => Assert.Throws<FormatException>(() => NetListener.Listen(address));

    [Fact]
    public void A_path_that_is_too_long()
    {
        string longest = _temp[""].PadRight(107, 'x');
        NetListener.Listen($"unix:{longest}").Close();
        var e = Assert.Throws<FormatException>(() => NetListener.Listen($"unix:{longest}ä"));
        Assert.Contains("has 109 bytes", e.Message, StringComparison.Ordinal);
        Assert.Contains("takes 107", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_that_is_not_there()
    {
        var e = Assert.Throws<SocketException>(() => NetListener.Listen($"unix:{_temp["no/s"]}"));
        Assert.Contains("No such file or directory", e.Message, StringComparison.Ordinal);
    }

    // ---- What is in the way ----

    [Fact]
    public async Task A_stale_file_is_removed()
    {
        LeaveStaleFile();
        Assert.True(Path.Exists(SocketPath));
        using NetListener listener = Listen();
        await EchoesAsync(listener, EndPoint);
        listener.Close();
        Assert.False(Path.Exists(SocketPath));
    }

    [Fact]
    public async Task A_living_listener_is_in_use()
    {
        using NetListener first = Listen();
        Assert.Equal(SocketError.AddressAlreadyInUse, ErrorOf(() => Listen()));
        // The question whether it lives has come and gone as a connection.
        NetConnection question = await first.AcceptAsync().AsTask().Within();
        Assert.Equal(0, await _scheduler.RunAsync(async () => await question.ReadAsync(new byte[1])).Within());
        question.Close();
        await EchoesAsync(first, EndPoint);
    }

    [Fact]
    public void A_living_listener_without_room_is_in_use()
    {
        using Socket listener = NewSocket();
        listener.Bind(EndPoint);
        listener.Listen(0);
        List<Socket> waiting = [];
        try
        {
            for (bool full = false; !full;)
            {
                Assert.True(waiting.Count < 100);
                waiting.Add(NewSocket());
                waiting[^1].Blocking = false;
                full = Record.Exception(() => waiting[^1].Connect(EndPoint)) is SocketException;
            }
            Assert.Equal(SocketError.AddressAlreadyInUse, ErrorOf(() => Listen()));
            Assert.True(Path.Exists(SocketPath));
        }
        finally
        {
            waiting.ForEach(s => s.Dispose());
        }
    }

    [Fact]
    public void A_datagram_socket_is_in_use()
    {
        using Socket other = NewSocket(SocketType.Dgram);
        other.Bind(EndPoint);
        Assert.Equal(SocketError.AddressAlreadyInUse, ErrorOf(() => Listen()));
        Assert.True(Path.Exists(SocketPath));
    }

    [Fact]
    public void A_file_that_is_no_socket_is_left_alone()
    {
        File.WriteAllText(SocketPath, "precious");
        var e = Assert.Throws<SocketException>(() => Listen());
        Assert.Equal(SocketError.AddressAlreadyInUse, e.SocketErrorCode);
        Assert.Contains("no socket", e.Message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(SocketPath));
    }

    [Fact]
    public void A_directory_is_left_alone()
    {
        Directory.CreateDirectory(SocketPath);
        Assert.Equal(SocketError.AddressAlreadyInUse, ErrorOf(() => Listen()));
        Assert.True(Directory.Exists(SocketPath));
    }

    [Fact]
    public void A_link_to_a_stale_file_is_left_alone()
    {
        LeaveStaleFile();
        File.CreateSymbolicLink(_temp["link"], SocketPath);
        Assert.Equal(SocketError.AddressAlreadyInUse, ErrorOf(() => NetListener.Listen($"unix:{_temp["link"]}")));
        Assert.True(Path.Exists(SocketPath));
    }

    // ---- What a close leaves ----

    [Fact]
    public void Only_its_own_file_is_removed()
    {
        using NetListener first = Listen();
        File.Delete(SocketPath);
        using NetListener second = Listen();
        first.Close();
        Assert.True(Path.Exists(SocketPath));
        using (Socket peer = NewSocket())
            peer.Connect(EndPoint);
        second.Close();
        Assert.False(Path.Exists(SocketPath));
    }

    [Fact]
    public void A_second_close_removes_nothing()
    {
        NetListener first = Listen();
        first.Close();
        using NetListener second = Listen(); // may well have the same inode number
        first.Close();
        Assert.True(Path.Exists(SocketPath));
    }

    [Fact]
    public void The_file_can_be_left()
    {
        NetListener listener = Listen();
        Assert.True(listener.UnlinkOnClose);
        listener.UnlinkOnClose = false;
        listener.Close();
        Assert.True(Path.Exists(SocketPath));
    }

    // ---- Who may connect ----

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite)]
    [InlineData(All)]
    public void Permissions(UnixFileMode mode)
    {
        using NetListener listener = Listen(new ListenOptions { UnixFileMode = mode });
        Assert.Equal(mode, File.GetUnixFileMode(SocketPath));
    }

    [Fact]
    public void Permissions_are_the_umask_s_otherwise()
    {
        using Socket socket = NewSocket();
        socket.Bind(new UnixDomainSocketEndPoint(_temp["other"]));
        using NetListener listener = Listen();
        Assert.Equal(File.GetUnixFileMode(_temp["other"]), File.GetUnixFileMode(SocketPath));
    }

    // ---- Peers ----

    [Fact]
    public async Task Who_the_peer_is()
    {
        using NetListener listener = Listen();
        using Socket peer = NewSocket();
        await peer.ConnectAsync(EndPoint).Within();
        using NetConnection connection = await listener.AcceptAsync().AsTask().Within();
        PeerCredentials credentials = connection.GetPeerCredentials();
        Assert.Equal(Environment.ProcessId, credentials.ProcessId);
        Assert.Equal(IdOfThisProcess("Uid:"), credentials.UserId);
        Assert.Equal(IdOfThisProcess("Gid:"), credentials.GroupId);
        connection.Close();
        Assert.Throws<ObjectDisposedException>(() => connection.GetPeerCredentials());
    }

    // Real, effective, saved and of the file system.
    private static uint IdOfThisProcess(string name) => uint.Parse(
        File.ReadLines("/proc/self/status").Single(l => l.StartsWith(name, StringComparison.Ordinal)).Split('\t')[2],
        System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public async Task A_peer_over_TCP_has_no_credentials()
    {
        using var net = new Loopback();
        var (connection, _) = await net.ConnectAsync();
        Assert.Throws<InvalidOperationException>(() => connection.GetPeerCredentials());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("short")]
    [InlineData("a-name-that-does-not-fit-into-what-accept-keeps")]
    public async Task End_points_of_a_connection(string? name)
    {
        using NetListener listener = Listen();
        using Socket peer = NewSocket();
        if (name is not null)
            peer.Bind(new UnixDomainSocketEndPoint(_temp[name]));
        await peer.ConnectAsync(EndPoint).Within();
        using NetConnection connection = await listener.AcceptAsync().AsTask().Within();
        Assert.Equal(EndPoint, connection.LocalEndPoint);
        Assert.Equal(name is null ? "" : _temp[name], connection.RemoteEndPoint.ToString());
    }

    [Fact]
    public void The_identity_of_a_file()
    {
        using NetListener listener = Listen();
        using var stat = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("stat")
        {
            ArgumentList = { "-c", "%i %f", SocketPath },
            RedirectStandardOutput = true,
        })!;
        FileIdentity file = UnixFiles.Find(SocketAddresses.PathOf(EndPoint)!)!.Value;
        Assert.Equal($"{file.Inode} {file.Mode:x}", stat.StandardOutput.ReadToEnd().Trim());
        Assert.True(file.IsSocket);
    }
}
