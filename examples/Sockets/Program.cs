// Runs every snippet of docs/sockets.md and docs/buffers.md and compares what it prints. The documents show the regions between "// snippet: NAME" and
// "// end" of these files; tests/Scheduler.Tests/DocumentationTests.cs holds them to it.
using NetGo.Examples;
using Sockets;

var snippets = new Snippets();

await snippets.RunAsync("echo", Streams.EchoAsync, "hello");
await snippets.RunAsync("no-buffer", Streams.WithoutBufferAsync, "11 bytes");
await snippets.RunAsync("dial", Dialing.DialAsync, "refused");
await snippets.RunAsync("deadlines", Dialing.DeadlinesAsync, "nothing in 10 ms", "cancelled");
await snippets.RunAsync("stream", Streams.StreamAsync, "first line");
await snippets.RunAsync("unix", Streams.UnixAsync, "over a file");
await snippets.RunAsync("udp", Datagrams.UdpAsync, "ping from a loopback address");
await snippets.RunAsync("udp-batch", Datagrams.BatchAsync, "3 datagrams");
await snippets.RunAsync("sendfile", Files.SendFileAsync, "100000 bytes");
await snippets.RunAsync("buffers", Buffers.RentAsync, "12345 of 16384 bytes");
return snippets.ExitCode;
