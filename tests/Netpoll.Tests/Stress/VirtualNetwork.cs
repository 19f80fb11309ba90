using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NetGo.Netpoll.Tests.Stress;

/// <summary>Two network namespaces with a cable between them (ip-netns(8), veth(4)) that can be cut, made slow and made to lose packets.
/// A socket belongs to the namespace of the thread that opens it, whoever uses it later: so both ends can be in this process.</summary>
internal sealed partial class VirtualNetwork : IDisposable
{
    private const string Interface = "cable";

    private static readonly string[] s_folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];
    private static readonly string s_prefix = $"netgo-{Environment.ProcessId}-";
    private static int s_made;

    private readonly string[] _names;

    private VirtualNetwork()
    {
        int number = Interlocked.Increment(ref s_made);
        _names = [$"{s_prefix}{number}-a", $"{s_prefix}{number}-b"];
    }

    /// <summary>Skips the test where there can be none.</summary>
    public static VirtualNetwork Make()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Network namespaces are Linux's.");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root may make network namespaces.");
        Assert.SkipUnless(IsInstalled("ip"), "ip(8) is not installed (iproute2).");
        RemoveThoseOfTheDead();
        var network = new VirtualNetwork();
        try
        {
            string? refusal = TryRun("ip", "netns", "add", network._names[0]);
            Assert.SkipWhen(refusal is not null, $"The system makes no network namespaces: {refusal}");
            Run("ip", "netns", "add", network._names[1]);
            Run("ip", "link", "add", Interface, "netns", network._names[0], "type", "veth", "peer", "name", Interface, "netns", network._names[1]);
            for (int side = 0; side < 2; side++)
            {
                string prefix = $"{AddressOf(side)}/24";
                Run("ip", "-n", network._names[side], "address", "add", prefix, "dev", Interface);
                Run("ip", "-n", network._names[side], "link", "set", Interface, "up");
                // Lost packets are sent again after a few milliseconds, not after 200.
                Run("ip", "-n", network._names[side], "route", "change", "10.217.0.0/24", "dev", Interface, "rto_min", "10ms");
            }
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>The address of one of the two sides, 0 and 1.</summary>
    public static IPAddress AddressOf(int side) => new([10, 217, 0, (byte)(1 + side)]);

    /// <summary>Does something in the namespace of a side: opens sockets there.</summary>
    public T In<T>(int side, Func<T> open)
    {
        T result = default!;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                const int NetworkNamespace = 0x40000000; // CLONE_NEWNET
                using SafeFileHandle name = File.OpenHandle($"/run/netns/{_names[side]}");
                SystemSockets.Require(-SetNamespace((int)name.DangerousGetHandle(), NetworkNamespace), "setns");
                result = open();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        return failure is null ? result : throw failure;
    }

    // ---- What happens to the cable ----

    /// <summary>It is pulled out at side 1, as <see cref="PlugIn"/> undoes.</summary>
    public void PullOut() => Run("ip", "-n", _names[1], "link", "set", Interface, "down");

    public void PlugIn() => Run("ip", "-n", _names[1], "link", "set", Interface, "up");

    /// <summary>Some of the packets that come are lost, on both sides.</summary>
    public void Lose(int percent)
    {
        Assert.SkipUnless(IsInstalled("nft"), "nft(8) is not installed (nftables).");
        string which = percent == 100 ? "" : $"numgen random mod 100 < {percent}";
        foreach (string name in _names)
        {
            Run("ip", "netns", "exec", name, "nft", "add", "table", "inet", Interface);
            Run("ip", "netns", "exec", name, "nft", "add chain inet cable come { type filter hook input priority 0; }");
            Run("ip", "netns", "exec", name, "nft", $"add rule inet cable come {which} drop");
        }
    }

    /// <summary>Packets to side 1 queue up, and take the longer the more there are.</summary>
    public void SlowDown(string rate) =>
        Run("tc", "-n", _names[0], "qdisc", "add", "dev", Interface, "root", "tbf", "rate", rate, "burst", "10kb", "latency", "1s");

    // ---- Programs ----

    private static bool IsInstalled(string program) =>
        Array.Exists(s_folders, folder => File.Exists(Path.Combine(folder, program)));

    private static void Run(params string[] command)
    {
        if (TryRun(command) is { } error)
            throw new InvalidOperationException($"{string.Join(' ', command)}: {error}");
    }

    // What it says when it fails.
    private static string? TryRun(params string[] command)
    {
        using Process process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : errors.Trim();
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int descriptor, int kind);

    // A test that was killed has not removed its own.
    private static void RemoveThoseOfTheDead()
    {
        if (!Directory.Exists("/run/netns"))
            return;
        foreach (string name in Directory.GetFiles("/run/netns", "netgo-*").Select(static path => Path.GetFileName(path)))
        {
            if (!Directory.Exists($"/proc/{name.Split('-')[1]}"))
                _ = TryRun("ip", "netns", "delete", name);
        }
    }

    public void Dispose()
    {
        foreach (string name in _names)
            _ = TryRun("ip", "netns", "delete", name);
    }
}
