using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace NetGo.Netpoll.Tests;

[UnsupportedOSPlatform("windows")]
public sealed class ListenerHandOverTests : IDisposable
{
    private readonly TempDirectory _temp = new();
    private readonly ChildReaper _reaper = new();
    private readonly GoScheduler _scheduler = Bounded.NewScheduler(2);
    private readonly List<NetListener> _listeners = [];

    public ListenerHandOverTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Sockets have no files there, and are not inherited");

    public void Dispose()
    {
        _listeners.ForEach(l => l.Close());
        Bounded.NoneLeft(_scheduler);
        _scheduler.Dispose();
        _reaper.Dispose();
        _temp.Dispose();
    }

    private NetListener Listen(EndPoint? endPoint = null, int shards = 2, string name = "web", GoScheduler? scheduler = null)
    {
        NetListener listener = NetListener.Listen(scheduler ?? _scheduler, endPoint ?? new IPEndPoint(IPAddress.Loopback, 0), new ListenOptions { Shards = shards, Name = name });
        _listeners.Add(listener);
        return listener;
    }

    private async Task<int> HandOverAsync(params NetListener[] listeners) =>
        _reaper.Add(await ListenerHandOver.StartAsync(listeners, ChildServer.StartInfo(ChildServer.Serve)));

    private Task<int> ServeAsync(NetListener listener) => LineServer.RunAsync(_scheduler, listener, _ => Task.FromResult("parent"));

    [Fact]
    public async Task The_child_goes_on_accepting()
    {
        NetListener web = Listen();
        NetListener admin = Listen(new UnixDomainSocketEndPoint(_temp["s"]), name: "admin");
        Task<int> serving = ServeAsync(web);
        using (var client = new LineClient(web.LocalEndPoint))
        {
            Assert.Equal("parent", client.Ask("who"));
            int child = await HandOverAsync(web, admin);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => admin.AcceptAsync().AsTask().Within());
            for (int i = 0; i < 50; i++) // to all shards
                Assert.Equal($"{child}", LineClient.Ask(web.LocalEndPoint, "who"));
            Assert.Equal($"{child}", LineClient.Ask(admin.LocalEndPoint, "who"));
            Assert.Equal($"web {web.LocalEndPoint} 2, admin {admin.LocalEndPoint} 1", LineClient.Ask(web.LocalEndPoint, "listeners"));
            Assert.Equal("", LineClient.Ask(web.LocalEndPoint, "inherited"));
            Assert.Equal("parent", client.Ask("who")); // what has been accepted stays here
        }
        Assert.Equal(1, await serving.Within());
        web.Close();
        admin.Close();
        Assert.True(Path.Exists(_temp["s"]));
        LineClient.Ask(web.LocalEndPoint, "quit");
    }

    [Fact]
    public async Task What_waits_in_the_backlog_is_not_lost()
    {
        const int Count = 40;
        NetListener listener = Listen();
        LineClient[] clients = [.. Enumerable.Range(0, Count).Select(_ => new LineClient(listener.LocalEndPoint))];
        int child = await HandOverAsync(listener);
        listener.Close();
        foreach (LineClient client in clients)
        {
            Assert.Equal($"{child}", client.Ask("who"));
            client.Dispose();
        }
    }

    [Fact]
    public async Task What_has_been_accepted_and_not_taken_is_not_lost()
    {
        const int Count = 20;
        NetListener listener = Listen();
        LineClient[] clients = [.. Enumerable.Range(0, Count).Select(_ => new LineClient(listener.LocalEndPoint))];
        // The first call has the shards accept ahead.
        using NetConnection first = await listener.AcceptAsync().AsTask().Within();
        Bounded.Until(() => _scheduler.AllIdle, "accepted ahead");
        int child = await HandOverAsync(listener);
        Task<int> serving = ServeAsync(listener);
        first.Close();
        int ofParent = 0, ofChild = 0, closed = 0;
        foreach (LineClient client in clients)
        {
            try
            {
                string answer = client.Ask("who");
                ofParent += answer == "parent" ? 1 : 0;
                ofChild += answer == $"{child}" ? 1 : 0;
            }
            catch (Exception e) when (e is EndOfStreamException or SocketException)
            {
                closed++; // the first
            }
            client.Dispose();
        }
        Assert.Equal(1, closed);
        Assert.InRange(ofParent, 1, 19); // what the channel holds, and one of each shard
        Assert.Equal(Count - 1, ofParent + ofChild);
        Assert.Equal(ofParent, await serving.Within());
    }

    [Fact]
    public async Task No_request_fails_in_three_hand_overs_under_load()
    {
        const int Clients = 4, HandOvers = 3;
        NetListener listener = Listen();
        EndPoint address = listener.LocalEndPoint;
        Task<int> serving = ServeAsync(listener);
        using var stop = new CancellationTokenSource();
        Task<HashSet<string>>[] clients = [.. Enumerable.Range(0, Clients).Select(_ => Task.Factory.StartNew(
            () =>
            {
                var servers = new HashSet<string>();
                while (!stop.IsCancellationRequested)
                    servers.Add(LineClient.Ask(address, "who")); // throws when it fails
                return servers;
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        try
        {
            int child = await HandOverAsync(listener);
            Assert.True(await serving.Within() > 0);
            List<string> generations = ["parent", $"{child}"];
            for (int i = 1; i < HandOvers; i++)
            {
                // From the last generation to the next, by request; until then the last one may still accept a few.
                string next = await Task.Run(() => LineClient.Ask(address, "handover"));
                _reaper.Add(next);
                generations.Add(next);
            }
            int last = int.Parse(generations[^1], System.Globalization.CultureInfo.InvariantCulture);
            Assert.All(generations[1..^1], g => Bounded.Until(() => ChildReaper.HasEnded(int.Parse(g, System.Globalization.CultureInfo.InvariantCulture)), $"{g} has ended"));
            Bounded.Until(() => LineClient.Ask(address, "who") == $"{last}", "the last one serves");
            await stop.CancelAsync();
            HashSet<string>[] servers = await Task.WhenAll(clients).Within();
            Assert.Equal(generations.Order(), servers.SelectMany(s => s).Distinct().Order());
        }
        finally
        {
            await stop.CancelAsync();
        }
        LineClient.Ask(address, "quit");
    }

    // ---- Failures: the parent goes on ----

    private async Task GoesOnAsync(NetListener listener)
    {
        Task<int> serving = ServeAsync(listener);
        for (int i = 0; i < 20; i++)
            Assert.Equal("parent", LineClient.Ask(listener.LocalEndPoint, "who"));
        listener.Close();
        Assert.Equal(20, await serving.Within());
    }

    [Fact]
    public async Task A_program_that_ends()
    {
        NetListener listener = Listen();
        var e = await Assert.ThrowsAsync<IOException>(() => ListenerHandOver.StartAsync([listener], ChildServer.StartInfo(ChildServer.Fail)));
        Assert.Contains("exit code 3", e.Message, StringComparison.Ordinal);
        await GoesOnAsync(listener);
    }

    [Fact]
    public async Task A_program_that_gives_up()
    {
        NetListener listener = Listen();
        var e = await Assert.ThrowsAsync<IOException>(() => ListenerHandOver.StartAsync([listener], ChildServer.StartInfo(ChildServer.GiveUp)));
        Assert.Contains("signal 9", e.Message, StringComparison.Ordinal);
        await GoesOnAsync(listener);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_program_that_does_not_accept(bool cancelled)
    {
        NetListener listener = Listen(new UnixDomainSocketEndPoint(_temp["s"]));
        using var source = new CancellationTokenSource();
        Task handOver = ListenerHandOver.StartAsync(
            [listener], ChildServer.StartInfo(ChildServer.Idle), cancelled ? null : TimeSpan.FromMilliseconds(200), source.Token);
        if (cancelled)
            await source.CancelAsync();
        Exception e = (await Record.ExceptionAsync(() => handOver.Within()))!;
        Assert.IsType(cancelled ? typeof(OperationCanceledException) : typeof(TimeoutException), e, exactMatch: false);
        await GoesOnAsync(listener);
        Assert.False(Path.Exists(_temp["s"]));
    }

    [Fact]
    public async Task A_program_that_is_not_there()
    {
        NetListener listener = Listen();
        await Assert.ThrowsAsync<Win32Exception>(() => ListenerHandOver.StartAsync([listener], new ProcessStartInfo(_temp["nothing"])));
        await GoesOnAsync(listener);
    }

    [Fact]
    public async Task Nothing_is_left_open_by_failures()
    {
        const int Slack = 3;
        NetListener listener = Listen();
        async Task FailAsync()
        {
            await Assert.ThrowsAsync<Win32Exception>(() => ListenerHandOver.StartAsync([listener], new ProcessStartInfo(_temp["nothing"])));
            await Assert.ThrowsAsync<IOException>(() => ListenerHandOver.StartAsync([listener], new ProcessStartInfo("true")));
        }
        await FailAsync();
        int before = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        for (int i = 0; i < 10; i++)
            await FailAsync();
        int Open() => Directory.GetFileSystemEntries("/proc/self/fd").Length;
        Bounded.Until(() => Open() <= before + Slack, $"{Open()} descriptors open, {before} before");
        await GoesOnAsync(listener);
    }

    [Fact]
    public async Task A_closed_listener()
    {
        NetListener listener = Listen();
        listener.Close();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => ListenerHandOver.StartAsync([listener], ChildServer.StartInfo(ChildServer.Serve)));
    }

    [Fact]
    public async Task Start_infos_that_cannot_be_had()
    {
        NetListener listener = Listen();
        await Assert.ThrowsAsync<ArgumentException>(() => ListenerHandOver.StartAsync([], new ProcessStartInfo("true")));
        foreach (ProcessStartInfo startInfo in (ProcessStartInfo[])[new(), new("true", "some arguments"), new("true") { RedirectStandardOutput = true }])
            await Assert.ThrowsAsync<ArgumentException>(() => ListenerHandOver.StartAsync([listener], startInfo));
    }

    // ---- How the program is started ----

    // It leaves what it sees in a file, says that it accepts, and ends.
    private async Task<string[]> SeenAsync(Action<ProcessStartInfo>? configure = null, GoScheduler? scheduler = null)
    {
        NetListener listener = Listen(scheduler: scheduler);
        string file = _temp["seen"];
        var startInfo = new ProcessStartInfo("/bin/sh") { ArgumentList = { "-c", $"{{ pwd; env; grep -E 'Sig(Ign|Blk)|Cpus_allowed_list' /proc/self/status; }} > {file}; printf x >&$NETGO_HANDOVER_FD" } };
        configure?.Invoke(startInfo);
        int child = await ListenerHandOver.StartAsync([listener], startInfo);
        ChildProcess.Kill(child);
        return File.ReadAllLines(file);
    }

    [Fact]
    public async Task The_variables()
    {
        string[] seen = await SeenAsync(s => s.Environment["LISTEN_PID"] = "1");
        Assert.Contains("LISTEN_FDS=2", seen);
        Assert.Contains("LISTEN_FDNAMES=web:web", seen);
        Assert.Contains("NETGO_HANDOVER_FD=5", seen);
        Assert.Contains($"NETGO_HANDOVER_PID={Environment.ProcessId}", seen);
        Assert.DoesNotContain(seen, l => l.StartsWith("LISTEN_PID=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Environment_and_working_directory_are_the_start_info_s()
    {
        string[] seen = await SeenAsync(s =>
        {
            s.WorkingDirectory = "/dev";
            s.Environment["GREETING"] = "grüße";
            s.Environment.Remove("HOME");
        });
        Assert.Equal("/dev", seen[0]);
        Assert.Contains("GREETING=grüße", seen);
        Assert.DoesNotContain(seen, l => l.StartsWith("HOME=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Signals_are_at_their_defaults()
    {
        string[] seen = await SeenAsync();
        Assert.Contains("SigBlk:\t0000000000000000", seen);
        string ignored = seen.Single(l => l.StartsWith("SigIgn:", StringComparison.Ordinal));
        const int SigPipe = 1 << 12;
        Assert.Equal(0, Convert.ToInt64(ignored[7..].Trim(), 16) & SigPipe);
    }

    [Fact]
    public async Task It_may_run_on_all_cores_whatever_the_one_is_bound_to_that_starts_it()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Threads are bound on Linux only.");
        Assert.SkipUnless(Environment.ProcessorCount > 1, "There is one core.");
        static string AllowedTo(string thread) => File.ReadLines($"/proc/{thread}/status").Single(IsAllowedList);
        using GoScheduler bound = Bounded.NewScheduler(new SchedulerOptions { MaxProcs = 2, MachineBinding = MachineBinding.Core });
        string[] seen = await SeenAsync(scheduler: bound).Within();
        Assert.Equal(AllowedTo("self"), seen.Single(IsAllowedList));
        // Nor is it changed for the thread that starts it.
        await bound.RunAsync(() =>
        {
            string own = AllowedTo("thread-self");
            ChildProcess.Kill(ChildProcess.Start(new ProcessStartInfo("/bin/true"), new Dictionary<string, string>(), []));
            Assert.Equal(own, AllowedTo("thread-self"));
            Assert.NotEqual(AllowedTo("self"), own);
            return Task.CompletedTask;
        }).Within();
        _listeners.ForEach(l => l.Close());
        Bounded.NoneLeft(bound);

        static bool IsAllowedList(string line) => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shell_in_between_can_fill_in_the_process_id()
    {
        NetListener listener = Listen();
        var startInfo = new ProcessStartInfo("/bin/sh")
        {
            ArgumentList = { "-c", "LISTEN_PID=$$; export LISTEN_PID; exec \"$0\" \"$@\"", ChildServer.Program, ChildServer.Argument, ChildServer.Serve },
        };
        int child = _reaper.Add(await ListenerHandOver.StartAsync([listener], startInfo));
        Assert.Equal($"{child}", LineClient.Ask(listener.LocalEndPoint, "who"));
    }
}
