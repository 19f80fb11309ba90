using System.Diagnostics;
using System.Net.Sockets;

namespace NetGo.LoadTests;

/// <summary>A server that runs, on cores of its own.</summary>
internal sealed class Target : IAsyncDisposable
{
    private static readonly TimeSpan s_buildLimit = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(20);

    private readonly Process _process;

    private Target(string name, string protocol, int port, Process process)
    {
        Name = name;
        Protocol = protocol;
        Port = port;
        _process = process;
    }

    public string Name { get; }

    public string Protocol { get; }

    public int Port { get; }

    public int Pid => _process.Id;

    public bool HasEnded => _process.HasExited;

    public static Task BuildAsync(IEnumerable<string> names, CancellationToken cancellationToken) =>
        Tool.RunAsync([Script, "build", .. names], s_buildLimit, cancellationToken);

    public static Task BuildClientsAsync(IEnumerable<string> names, CancellationToken cancellationToken) =>
        Tool.RunAsync([Script, "client", .. names], s_buildLimit, cancellationToken);

    /// <summary>Starts it, and has its answers checked.</summary>
    /// <param name="name">One that loadtests/targets.sh knows.</param>
    /// <param name="protocol">http or https.</param>
    /// <param name="port">Where it is to listen.</param>
    /// <param name="cores">As taskset takes them.</param>
    /// <exception cref="LoadTestException">It does not start, or an answer is wrong.</exception>
    public static async Task<Target> StartAsync(string name, string protocol, int port, string cores, CancellationToken cancellationToken)
    {
        if (await AnswersAsync(port, cancellationToken))
            throw new LoadTestException($"port {port} is in use, choose another with --port");
        string command = await Tool.RunAsync([Script, "command", name, $"{port}", protocol], s_startLimit, cancellationToken);
        Process process = Tool.Start(["taskset", "-c", cores, .. command.Split('\n', StringSplitOptions.RemoveEmptyEntries)]);
        var target = new Target(name, protocol, port, process);
        try
        {
            // What it writes is read, so that it never waits for that, and kept for an error's message.
            var written = new List<string>();
            DataReceivedEventHandler keep = (_, e) =>
            {
                lock (written)
                {
                    if (e.Data is not null && written.Count < 20)
                        written.Add(e.Data);
                }
            };
            process.OutputDataReceived += keep;
            process.ErrorDataReceived += keep;
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            long begin = Stopwatch.GetTimestamp();
            while (!await AnswersAsync(port, cancellationToken))
            {
                if (process.HasExited || Stopwatch.GetElapsedTime(begin) > s_startLimit)
                {
                    lock (written)
                        throw new LoadTestException($"{name} does not listen on 127.0.0.1:{port}: {string.Join("; ", written)}");
                }
                await Task.Delay(50, cancellationToken);
            }
            await target.CheckAsync(cancellationToken);
            return target;
        }
        catch
        {
            await target.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether it answers as the contract says.</summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (HasEnded)
            throw new LoadTestException($"{Name} has ended with {_process.ExitCode}");
        await Tool.RunAsync([Script, "check", Name, $"{Port}", Protocol], TimeSpan.FromMinutes(1), cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using (Process.Start("kill", ["-TERM", $"{Pid}"]))
            {
            }
            using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            try
            {
                await _process.WaitForExitAsync(bound.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }
        _process.Dispose();
    }

    internal static string Folder { get; } = FindFolder();

    internal static string Client(string name) => Path.Combine(Folder, "build", name);

    private static string Script => Path.Combine(Folder, "target.sh");

    private static async Task<bool> AnswersAsync(int port, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync("127.0.0.1", port, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // loadtests/, above the folder that this was built into.
    private static string FindFolder()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "target.sh")))
                return folder;
        }
        throw new LoadTestException("loadtests/target.sh is in no folder above this program");
    }
}
