// Runs every snippet of docs/sockets.md and docs/buffers.md and compares what it prints. The documents show the regions between "// snippet: NAME" and
// "// end" of these files; tests/Scheduler.Tests/DocumentationTests.cs holds them to it.
using NetGo;
using Sockets;

TextWriter console = Console.Out;
int failures = 0;

await RunAsync("echo", Streams.EchoAsync, "hello");
await RunAsync("no-buffer", Streams.WithoutBufferAsync, "11 bytes");
await RunAsync("dial", Dialing.DialAsync, "refused");
await RunAsync("deadlines", Dialing.DeadlinesAsync, "nothing in 10 ms", "cancelled");
await RunAsync("stream", Streams.StreamAsync, "first line");
await RunAsync("unix", Streams.UnixAsync, "over a file");
await RunAsync("udp", Datagrams.UdpAsync, "ping from a loopback address");
await RunAsync("udp-batch", Datagrams.BatchAsync, "3 datagrams");
await RunAsync("sendfile", Files.SendFileAsync, "100000 bytes");
await RunAsync("buffers", Buffers.RentAsync, "12345 of 16384 bytes");
return failures == 0 ? 0 : 1;

async Task RunAsync(string name, Func<Task> snippet, params string[] expected)
{
    using var printed = new StringWriter();
    Console.SetOut(printed);
    string outcome = "ok";
    try
    {
        await Go.RunAsync(snippet).WaitAsync(TimeSpan.FromMinutes(1));
        string[] lines = printed.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        if (!lines.SequenceEqual(expected))
            outcome = $"FAILED: it printed {string.Join(" | ", lines)}, not {string.Join(" | ", expected)}";
    }
    catch (Exception e)
    {
        outcome = $"FAILED: {e}";
    }
    Console.SetOut(console);
    if (outcome != "ok")
        failures++;
    Console.WriteLine($"{name}: {outcome}");
}
