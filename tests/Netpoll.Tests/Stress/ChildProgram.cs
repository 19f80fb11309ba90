using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace NetGo.Netpoll.Tests.Stress;

// Two parts that need a process of their own: a server that runs out of descriptors, and peers that are too many for one process with
// the server. They obey lines on standard input and answer each with one on standard output. By hand:
//
//   NetGo.Netpoll.Tests stress server [SPARE]    an echo server that may have SPARE descriptors more than it has at its start
//   NetGo.Netpoll.Tests stress peers PORT        peers of a server on the loopback interface

/// <summary>What a <see cref="Child"/> runs.</summary>
internal static partial class ChildProgram
{
    public const string Argument = "stress";

    public static async Task<int> RunAsync(string[] args)
    {
        switch (args)
        {
            case ["server", .. string[] limit]:
                await ServeAsync(limit is [string spare] ? int.Parse(spare, CultureInfo.InvariantCulture) : null);
                return 0;
            case ["peers", string port]:
                Peers(int.Parse(port, CultureInfo.InvariantCulture));
                return 0;
            default:
                return 2;
        }
    }

    private static void Say(string line) => Console.Out.WriteLine(line);

    // ---- A server ----

    // port, cpu, close, left. What it logs comes in between: "log LEVEL ...".
    private static async Task ServeAsync(int? spare)
    {
        using (var server = new EchoServer(2, new ListenOptions { Shards = 1, Logger = new LineLogger() }))
        {
            if (spare is { } more)
                LimitDescriptors(Directory.GetFileSystemEntries("/proc/self/fd").Length + more);
            Say($"port {server.EndPoint.Port}");
            while (Console.ReadLine() is { } line and not "left")
            {
                if (line == "close")
                {
                    server.Listener.Close();
                    await server.Accepting.Within();
                    Say("close");
                }
                else
                {
                    Say($"cpu {Environment.CpuUsage.TotalTime.TotalMilliseconds:F0}");
                }
            }
        }
        Say($"left {PollDescTable.InUse}");
    }

    private sealed class LineLogger : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Say($"log {logLevel} {formatter(state, exception)}");
    }

    private static unsafe void LimitDescriptors(int count)
    {
        const int NoFile = 7; // RLIMIT_NOFILE of Linux
        ulong* limit = stackalloc ulong[] { (ulong)count, (ulong)count };
        SystemSockets.Require(-SetLimit(NoFile, limit), "setrlimit");
    }

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static unsafe partial int SetLimit(int resource, ulong* limit);

    // ---- Peers ----

    // open N, echo, reset, close. Each is done when it is answered.
    private static void Peers(int port)
    {
        const int Addresses = 8; // of the loopback network: each has ports of its own
        var server = new IPEndPoint(IPAddress.Loopback, port);
        var peers = new List<Socket>();
        while (Console.ReadLine()?.Split(' ') is [string command, .. string[] rest])
        {
            long start = Stopwatch.GetTimestamp();
            switch (command)
            {
                case "open":
                    for (int i = int.Parse(rest[0], CultureInfo.InvariantCulture); i > 0; i--)
                        peers.Add(Connect(server, new IPAddress([127, 0, 1, (byte)(1 + peers.Count % Addresses)])));
                    break;
                case "echo":
                    byte[] one = new byte[1];
                    for (int i = 0; i < peers.Count; i++)
                        peers[i].Send([(byte)i]);
                    for (int i = 0; i < peers.Count; i++)
                    {
                        if (peers[i].Receive(one) != 1 || one[0] != (byte)i)
                            throw new InvalidDataException($"Peer {i} got {one[0]}.");
                    }
                    break;
                case "reset":
                    peers.ForEach(static p => p.LingerState = new LingerOption(true, 0));
                    start = Stopwatch.GetTimestamp();
                    peers.ForEach(static p => p.Dispose());
                    peers.Clear();
                    break;
                case "close":
                    peers.ForEach(static p => p.Dispose());
                    peers.Clear();
                    break;
            }
            Say(string.Create(CultureInfo.InvariantCulture, $"{command} {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0}"));
        }
    }

    private static Socket Connect(IPEndPoint server, IPAddress from)
    {
        var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        peer.Bind(new IPEndPoint(from, 0));
        peer.Connect(server);
        return peer;
    }
}
