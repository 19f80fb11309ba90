using System.Diagnostics;
using System.Globalization;

namespace Experiments;

/// <summary>A thread for each connection against the poller: requests/s, processor time and memory, by the number of connections.</summary>
internal sealed class ThreadsExperiment() : Experiment("threads", rounds: 3, seconds: 2)
{
    private static readonly int[] s_connections = [64, 1000, 5000];
    private static readonly string[] s_kinds = ["threads", "netpoll"];

    public override async Task RunAsync(CommandLine options)
    {
        await LoadAsync(options);
        await MeasureMemoryAsync(options);
    }

    private static async Task LoadAsync(CommandLine options)
    {
        var results = new Results("Fixed answers to a client with one request under way on each connection", "connections, server", "requests/s", "CPU us/request", "p99 ms");
        List<(string Kind, int Port, Process Server)> servers = [];
        try
        {
            foreach (string kind in s_kinds)
            {
                int port = Tool.FreePort();
                servers.Add((kind, port, await Tool.StartServerAsync(Environment.ProcessPath!, $"serve {kind} {port}")));
            }
            (int Connections, int Server)[] variants = [.. Connections(options).SelectMany(static c => Enumerable.Range(0, s_kinds.Length).Select(i => (c, i)))];
            await InTurnAsync(options, variants.Length, async (i, counts) =>
            {
                (int connections, int index) = variants[i];
                (string kind, int port, Process server) = servers[index];
                using Process client = Tool.StartSelf(string.Create(CultureInfo.InvariantCulture, $"load {port} {connections} {options.Seconds}"));
                try
                {
                    await LineAsync(client, "ready");
                    double cpu = Tool.CpuSeconds(server.Id);
                    await client.StandardInput.WriteLineAsync();
                    await LineAsync(client, "measured");
                    cpu = Tool.CpuSeconds(server.Id) - cpu;
                    Dictionary<string, double> load = Tool.ParseLines(await client.StandardOutput.ReadToEndAsync());
                    if (counts)
                        results.Add(Row(connections, kind), load["per_second"], cpu / load["count"] * 1e6, load["p99"]);
                }
                finally
                {
                    Tool.Stop(client);
                }
            });
            results.Print(variants.Select(v => Row(v.Connections, servers[v.Server].Kind)));
        }
        finally
        {
            servers.ForEach(static s => Tool.Stop(s.Server));
        }
    }

    private static async Task LineAsync(Process client, string expected)
    {
        string? line = await client.StandardOutput.ReadLineAsync();
        if (line != expected)
            throw new InvalidOperationException($"The client said '{line}' and not '{expected}'.");
    }

    private static int[] Connections(CommandLine options) => options.IsShort ? s_connections[..1] : s_connections;

    private static string Row(int connections, string kind) => $"{connections:#,##0}, {kind}";

    // loadtests/idle opens the connections, asks once on each, and reads the server's memory before and after.
    private static async Task MeasureMemoryAsync(CommandLine options)
    {
        var results = new Results("Memory while connections idle that have had one request", "connections, server", "private KiB/connection", "resident KiB/connection", "threads");
        List<string> rows = [];
        foreach (int connections in Connections(options))
        {
            foreach (string kind in s_kinds)
            {
                int port = Tool.FreePort();
                Process server = await Tool.StartServerAsync(Environment.ProcessPath!, $"serve {kind} {port}");
                try
                {
                    Task<string> idle = Tool.OutputAsync(
                        options.IdleClient, $"--port {port} --pid {server.Id} --connections {connections} --warmup-connections 32 --warmup-requests 3000 --settle {(options.IsShort ? 0 : 1)}");
                    int threads = await MostThreadsAsync(server.Id, idle);
                    Dictionary<string, double> memory = Tool.ParseLines(await idle);
                    rows.Add(Row(connections, kind));
                    results.Add(rows[^1], memory["private_per_connection"] / 1024, memory["resident_per_connection"] / 1024, threads);
                }
                finally
                {
                    Tool.Stop(server);
                }
            }
        }
        results.Print(rows);
    }

    private static async Task<int> MostThreadsAsync(int pid, Task until)
    {
        int most = 0;
        while (!until.IsCompleted)
        {
            most = Math.Max(most, Directory.GetDirectories($"/proc/{pid}/task").Length);
            await Task.WhenAny(until, Task.Delay(100));
        }
        return most;
    }
}
