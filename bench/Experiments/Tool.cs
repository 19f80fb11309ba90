using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Experiments;

/// <summary>Programs beside this one: clients that load a server, and servers that are looked at from outside.</summary>
internal static class Tool
{
    private const double TicksPerSecond = 100; // USER_HZ, which /proc has on all architectures that .NET runs on

    /// <summary>Runs loadtests/rate; its lines by name. Latencies are in ms.</summary>
    public static async Task<Dictionary<string, double>> RateAsync(CommandLine options, int port, int rate, string arguments = "")
    {
        string output = await OutputAsync(
            options.RateClient,
            string.Create(CultureInfo.InvariantCulture, $"--port {port} --rate {rate} --seconds {options.Seconds} --warmup {options.WarmUp} {arguments}"));
        return ParseLines(output);
    }

    /// <summary>`name value unit` lines.</summary>
    public static Dictionary<string, double> ParseLines(string output) =>
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split(' '))
            .ToDictionary(static parts => parts[0], static parts => double.Parse(parts[1], CultureInfo.InvariantCulture));

    /// <summary>Runs a program to its end; what it wrote.</summary>
    /// <exception cref="InvalidOperationException">It failed, or is not there.</exception>
    public static async Task<string> OutputAsync(string program, string arguments)
    {
        using Process process = Start(program, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{program} {arguments} ended with {process.ExitCode}:\n{await output}");
    }

    /// <summary>Starts a program, whose output is to be read.</summary>
    public static Process Start(string program, string arguments)
    {
        try
        {
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardInput = true };
            start.Environment["GOMAXPROCS"] = "2"; // as many as the experiments' schedulers have
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException($"{program} cannot be started: {e.Message}", e);
        }
    }

    /// <summary>Starts this program with other arguments.</summary>
    public static Process StartSelf(string arguments) => Start(Environment.ProcessPath!, arguments);

    /// <summary>Starts a server, and waits for the line with which it says that it listens.</summary>
    public static async Task<Process> StartServerAsync(string program, string arguments)
    {
        Process server = Start(program, arguments);
        string? line = await server.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20));
        if (line is "listening")
            return server;
        Stop(server);
        throw new InvalidOperationException($"{program} {arguments} does not listen: {line}");
    }

    /// <summary>A port that nobody listens on now.</summary>
    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    public static void Stop(Process process)
    {
        if (!process.HasExited)
            process.Kill();
        process.WaitForExit();
        process.Dispose();
    }

    /// <summary>Processor time of a process, in seconds: user and system, all its threads.</summary>
    public static double CpuSeconds(int pid)
    {
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }
}
