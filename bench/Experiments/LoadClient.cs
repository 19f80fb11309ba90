using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Experiments;

/// <summary>A client with one request under way on each connection. It opens them all, sends for a while, says "ready", and when it is told to counts
/// for so many seconds.</summary>
internal static class LoadClient
{
    private static readonly byte[] s_request = Encoding.ASCII.GetBytes("GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    private static readonly byte[] s_bodyEnd = Encoding.ASCII.GetBytes("Hello, World!");
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(0.5);

    private static readonly LatencyHistogram s_latencies = new();
    private static long s_answers;
    private static volatile bool s_counts;

    public static async Task RunAsync(int port, int connections, double seconds)
    {
        var dialer = new NetDialer();
        var opened = new NetConnection[connections];
        for (int i = 0; i < connections; i++)
            opened[i] = await dialer.DialAsync($"127.0.0.1:{port}"); // all of them first: beside their load each would take as long as a turn of all
        foreach (NetConnection connection in opened)
            Go.Spawn(() => AskAsync(connection));
        while (Volatile.Read(ref s_answers) < connections)
            await Go.SleepAsync(TimeSpan.FromMilliseconds(10));
        await Go.SleepAsync(s_warmUp);
        Console.WriteLine("ready");
        await Task.Run(Console.ReadLine);
        long begun = Volatile.Read(ref s_answers);
        long start = Stopwatch.GetTimestamp();
        s_counts = true;
        await Go.SleepAsync(TimeSpan.FromSeconds(seconds));
        Console.WriteLine("measured");
        double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        long count = Volatile.Read(ref s_answers) - begun;
        double p99 = LatencyHistogram.Percentile(s_latencies.Take(), 0.99) / 1000;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"count {count} requests\nper_second {count / elapsed:0.0} requests/s\np99 {p99:0.000} ms"));
    }

    private static async Task AskAsync(NetConnection connection)
    {
        byte[] buffer = new byte[512];
        while (true)
        {
            long start = Stopwatch.GetTimestamp();
            await connection.WriteAsync(s_request);
            int end = 0;
            while (!buffer.AsSpan(0, end).EndsWith(s_bodyEnd))
            {
                int n = await connection.ReadAsync(buffer.AsMemory(end));
                if (n == 0)
                    throw new IOException("The server has closed a connection, or its answer is not the one that is known.");
                end += n;
            }
            Interlocked.Increment(ref s_answers);
            if (s_counts)
                s_latencies.Add((long)Stopwatch.GetElapsedTime(start).TotalNanoseconds);
        }
    }
}
