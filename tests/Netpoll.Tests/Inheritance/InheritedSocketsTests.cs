using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace NetGo.Netpoll.Tests;

/// <summary>The receiver's side of sd_listen_fds(3), in processes that are started as systemd starts them; and sockets from elsewhere.
/// </summary>
[UnsupportedOSPlatform("windows")]
public sealed class InheritedSocketsTests : IDisposable
{
    // Knows its own process id, as the program that it becomes wants it.
    private const string Shell = "LISTEN_PID=$$; export LISTEN_PID; exec \"$0\" \"$@\"";

    private readonly TempDirectory _temp = new();
    private readonly ChildReaper _reaper = new();
    private readonly List<Socket> _sockets = [];

    public InheritedSocketsTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Sockets have no files there, and are not inherited");

    public void Dispose()
    {
        _reaper.Dispose();
        _sockets.ForEach(s => s.Dispose());
        _temp.Dispose();
    }

    private Socket NewListener(EndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, endPoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        _sockets.Add(socket);
        if (endPoint is IPEndPoint)
            socket.SetRawSocketOption(1 /* SOL_SOCKET */, 15 /* SO_REUSEPORT */, BitConverter.GetBytes(1));
        socket.Bind(endPoint);
        socket.Listen();
        return socket;
    }

    private Socket NewTcpListener() => NewListener(new IPEndPoint(IPAddress.Loopback, 0));

    // Starts the child with sockets from descriptor 3 on.
    private int Start(string? names, params Socket[] sockets)
    {
        var startInfo = new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", Shell, ChildServer.Program, ChildServer.Argument, ChildServer.Serve } };
        Dictionary<string, string> environment = new()
        {
            ["LISTEN_FDS"] = $"{sockets.Length}",
            ["PATH"] = Environment.GetEnvironmentVariable("PATH")!,
        };
        if (Environment.GetEnvironmentVariable("DOTNET_ROOT") is { } root)
            environment["DOTNET_ROOT"] = root;
        if (names is not null)
            environment["LISTEN_FDNAMES"] = names;
        nint[] descriptors = [.. sockets.Select(s => UnixSockets.Duplicate(s.Handle, 100))];
        try
        {
            return _reaper.Add(ChildProcess.Start(startInfo, environment, descriptors));
        }
        finally
        {
            foreach (nint descriptor in descriptors)
                _ = SystemSockets.Close(descriptor);
        }
    }

    // What the child says it was started with, by Process.Start and thus without descriptors but what a shell's redirections make.
    private static string Tell(string redirection, params (string Name, string Value)[] variables)
    {
        var startInfo = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true };
        foreach (string argument in (string[])["-c", $"{redirection}{Shell}", ChildServer.Program, ChildServer.Argument, ChildServer.Tell])
            startInfo.ArgumentList.Add(argument);
        foreach ((string name, string value) in variables)
            startInfo.Environment[name] = value;
        using Process process = Process.Start(startInfo)!;
        string told = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return told.Trim();
    }

    [Fact]
    public void Sockets_with_names()
    {
        Socket tcp = NewTcpListener();
        Socket unix = NewListener(new UnixDomainSocketEndPoint(_temp["s"]));
        int child = Start("web:admin", tcp, unix);
        foreach (Socket socket in (Socket[])[tcp, unix])
        {
            Assert.Equal($"{child}", LineClient.Ask(socket.LocalEndPoint!, "who"));
            Assert.Equal($"web {tcp.LocalEndPoint} 1, admin {unix.LocalEndPoint} 1", LineClient.Ask(socket.LocalEndPoint!, "listeners"));
        }
        LineClient.Ask(tcp.LocalEndPoint!, "quit");
        Bounded.Until(() => ChildReaper.HasEnded(child), "the child has ended");
        Assert.True(Path.Exists(_temp["s"])); // it is not the child's
    }

    [Fact]
    public void Sockets_without_names()
    {
        Socket tcp = NewTcpListener();
        Start(null, tcp);
        Assert.Equal($"unknown {tcp.LocalEndPoint} 1", LineClient.Ask(tcp.LocalEndPoint!, "listeners"));
    }

    [Fact]
    public void Sockets_of_one_address_are_one_listener()
    {
        Socket one = NewTcpListener(), other = NewTcpListener(), two = NewListener(one.LocalEndPoint!);
        Start("a:b:c", one, other, two);
        Assert.Equal($"a {one.LocalEndPoint} 2, b {other.LocalEndPoint} 1", LineClient.Ask(one.LocalEndPoint!, "listeners"));
        string[] answers = [.. Enumerable.Range(0, 50).Select(_ => LineClient.Ask(one.LocalEndPoint!, "who"))];
        Assert.Single(answers.Distinct());
    }

    [Fact]
    public void Programs_that_it_starts_get_nothing_of_it()
    {
        Socket tcp = NewTcpListener();
        Start("web", tcp);
        Assert.Equal("", LineClient.Ask(tcp.LocalEndPoint!, "inherited"));
    }

    [Fact]
    public void A_close_leaves_the_socket_to_the_others()
    {
        Socket tcp = NewTcpListener();
        int child = Start("web", tcp);
        LineClient.Ask(tcp.LocalEndPoint!, "quit");
        Bounded.Until(() => ChildReaper.HasEnded(child), "the child has ended");
        int next = Start("web", tcp); // as systemd does when there is another connection
        Assert.Equal($"{next}", LineClient.Ask(tcp.LocalEndPoint!, "who"));
    }

    [Fact]
    public void Nothing_of_the_kind() => Assert.Equal("", Tell(""));

    [Fact]
    public void What_is_for_another_process()
    {
        Assert.Equal("", Tell("exec 3</dev/null; exec \"$0\" \"$@\";", ("LISTEN_FDS", "1"), ("LISTEN_PID", "1")));
        Assert.Equal("", Tell("exec 3</dev/null; exec \"$0\" \"$@\";", ("LISTEN_FDS", "1"), ("NETGO_HANDOVER_PID", "1"), ("NETGO_HANDOVER_FD", "4")));
        Assert.Equal("", Tell("exec 3</dev/null; exec \"$0\" \"$@\";", ("LISTEN_FDS", "1")));
    }

    [Fact]
    public void What_is_no_socket()
    {
        string told = Tell("exec 3</dev/null;", ("LISTEN_FDS", "1"), ("LISTEN_FDNAMES", "web"));
        Assert.Contains("InvalidOperationException: Descriptor 3 (\"web\")", told, StringComparison.Ordinal);
        Assert.Contains("is no socket", told, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("LISTEN_FDS", "x", "FormatException: LISTEN_FDS is \"x\"")]
    [InlineData("LISTEN_FDS", "-1", "FormatException: LISTEN_FDS is \"-1\"")]
    [InlineData("LISTEN_FDNAMES", "a:b", "FormatException: LISTEN_FDNAMES has 2 names for 1 sockets")]
    public void Malformed_variables(string name, string value, string expected) =>
        Assert.Contains(expected, Tell("exec 3</dev/null;", ("LISTEN_FDS", "1"), (name, value)), StringComparison.Ordinal);

    // ---- From elsewhere ----

    [Fact]
    public async Task A_socket_from_elsewhere()
    {
        Socket socket = NewTcpListener();
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        NetListener listener = await scheduler.RunAsync(() => Task.FromResult(NetListener.FromDescriptor(socket.SafeHandle, new ListenOptions { Name = "x" })));
        Assert.Equal($"x {socket.LocalEndPoint} 1", ChildServer.Describe(listener));
        for (int i = 0; i < 2; i++)
        {
            using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await peer.ConnectAsync(socket.LocalEndPoint!).Within();
            using NetConnection connection = await listener.AcceptAsync().AsTask().Within();
            Assert.Equal(peer.LocalEndPoint, connection.RemoteEndPoint);
            if (i == 0)
                socket.SafeHandle.Dispose(); // the listener has a descriptor of its own
        }
        listener.Close();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public void Sockets_that_cannot_be_listened_with()
    {
        using var idle = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using SafeFileHandle file = File.OpenHandle("/dev/null");
        using var nothing = new SafeFileHandle(1_000_000, ownsHandle: false);
        Assert.Contains("does not listen", Assert.Throws<ArgumentException>(() => NetListener.FromDescriptor(idle.SafeHandle)).Message, StringComparison.Ordinal);
        Assert.Contains("no stream socket", Assert.Throws<ArgumentException>(() => NetListener.FromDescriptor(datagrams.SafeHandle)).Message, StringComparison.Ordinal);
        Assert.Contains("is no socket", Assert.Throws<ArgumentException>(() => NetListener.FromDescriptor(file)).Message, StringComparison.Ordinal);
        Assert.Contains("is not open", Assert.Throws<ArgumentException>(() => NetListener.FromDescriptor(nothing)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a:b")]
    [InlineData("ä")]
    [InlineData("a\n")]
    public void Names_that_cannot_be_handed_over(string name) => Assert.Throws<ArgumentException>(() => new ListenOptions { Name = name });

    // ---- systemd itself ----

    [Fact]
    public void By_systemd_socket_activate()
    {
        const string Program = "/usr/bin/systemd-socket-activate";
        Assert.SkipUnless(File.Exists(Program), $"{Program} is not installed");
        var startInfo = new ProcessStartInfo(Program) { RedirectStandardError = true };
        foreach (string argument in (string[])["-l", _temp["s"], "--fdname=web", ChildServer.Program, ChildServer.Argument, ChildServer.Serve])
            startInfo.ArgumentList.Add(argument);
        using Process process = Process.Start(startInfo)!;
        try
        {
            process.StandardError.ReadLine(); // "Listening on"
            var endPoint = new UnixDomainSocketEndPoint(_temp["s"]);
            Assert.Equal($"{process.Id}", LineClient.Ask(endPoint, "who"));
            Assert.Equal($"web {endPoint} 1", LineClient.Ask(endPoint, "listeners"));
            Assert.Equal("", LineClient.Ask(endPoint, "inherited"));
        }
        finally
        {
            process.Kill();
            process.WaitForExit();
        }
    }
}
