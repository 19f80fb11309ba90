using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace NetGo.Netpoll.Tests;

/// <summary>The program that the tests start. It answers lines on the connections of the listeners that it was started with:
/// <code>
/// who          its process id
/// listeners    their names, end points and shards
/// inherited    what another program, started by it, gets of the variables and descriptors
/// handover     hands its listeners over to another one of its kind, and says its process id
/// quit         stops listening
/// </code></summary>
internal static class ChildServer
{
    public const string Argument = "child";

    /// <summary>Serves.</summary>
    public const string Serve = "serve";

    /// <summary>Writes what it was started with to its standard output.</summary>
    public const string Tell = "tell";

    /// <summary>Never accepts.</summary>
    public const string Idle = "idle";

    /// <summary>Closes its listeners, and stays.</summary>
    public const string GiveUp = "give-up";

    /// <summary>Ends with an exit code of 3.</summary>
    public const string Fail = "fail";

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "NetGo.Netpoll.Tests");

    /// <summary>How to start it.</summary>
    public static ProcessStartInfo StartInfo(string mode) => new(Program) { ArgumentList = { Argument, mode } };

    public static async Task<int> RunAsync(string[] args)
    {
        // Whatever becomes of the test, this ends.
        using var watchdog = new Timer(_ => Environment.Exit(99), null, s_limit, Timeout.InfiniteTimeSpan);
        if (args is [Fail])
            return 3;
        IReadOnlyList<NetListener> listeners;
        try
        {
            listeners = NetListener.FromEnvironment();
        }
        catch (Exception e) when (args is [Tell])
        {
            Console.WriteLine($"{e.GetType().Name}: {e.Message}");
            return 0;
        }
        switch (args)
        {
            case [Tell]:
                Console.WriteLine(Describe(listeners));
                return 0;
            case [Idle]:
                await Task.Delay(s_limit);
                return 1;
            case [GiveUp]:
                foreach (NetListener listener in listeners)
                    listener.Close();
                await Task.Delay(s_limit);
                return 1;
        }
        await Task.WhenAll(listeners.Select(l => LineServer.RunAsync(GoScheduler.Current, l, line => AnswerAsync(line, listeners))));
        return 0;
    }

    private static async Task<string> AnswerAsync(string line, IReadOnlyList<NetListener> listeners)
    {
        switch (line)
        {
            case "who":
                return Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
            case "listeners":
                return Describe(listeners);
            case "inherited":
                return Go.Blocking(Inherited);
            case "handover":
                try
                {
                    return (await ListenerHandOver.StartAsync(listeners, StartInfo(Serve))).ToString(CultureInfo.InvariantCulture);
                }
                catch (Exception e)
                {
                    return $"{e.GetType().Name}: {e.Message}";
                }
            default:
                foreach (NetListener listener in listeners)
                    listener.Close();
                return "";
        }
    }

    private static string Describe(IReadOnlyList<NetListener> listeners) => string.Join(", ", listeners.Select(Describe));

    public static string Describe(NetListener listener) => $"{listener.Name} {Describe(listener.LocalEndPoint)} {listener.ShardCount}";

    private static string Describe(EndPoint endPoint) => endPoint.ToString()!;

    private static string Inherited()
    {
        var startInfo = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true, ArgumentList = { "-c", "env; ls -l /proc/self/fd" } };
        using Process process = Process.Start(startInfo)!;
        string[] lines = process.StandardOutput.ReadToEnd().Split('\n');
        return string.Join(", ", lines.Where(l => l.StartsWith("LISTEN_", StringComparison.Ordinal) || l.StartsWith("NETGO_HANDOVER", StringComparison.Ordinal) || l.Contains("socket:", StringComparison.Ordinal)));
    }
}
