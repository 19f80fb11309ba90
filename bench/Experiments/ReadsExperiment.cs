using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using NetGo.Connections;

namespace Experiments;

/// <summary>Frames read without a copy, from the pipe or the connection itself, against frames read through a Stream: processor time and
/// allocation, and what a connection holds that waits.</summary>
internal sealed class ReadsExperiment() : Experiment("reads", rounds: 5, seconds: 1.5)
{
    private const int Senders = 4;
    private const int Waiting = 1000;

    private static readonly int[] s_frameLengths = [128, 4096];

    public override async Task RunAsync(CommandLine options)
    {
        // One processor: one goroutine counts at a time.
        using var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1 });
        Reader[] readers =
        [
            await Reader.OverConnectionsAsync("Stream, an array for each frame", scheduler, static (c, frames, _) => frames.ReadStreamAsync(c, pooled: false)),
            await Reader.OverConnectionsAsync("Stream, ArrayPool", scheduler, static (c, frames, _) => frames.ReadStreamAsync(c, pooled: true)),
            await Reader.OverPipesAsync("PipeReader", scheduler),
            await Reader.OverConnectionsAsync("WaitToReadAsync, TryRead", scheduler, static (c, frames, pool) => frames.ReadConnectionAsync(c, pool)),
        ];
        await MeasureReadingAsync(options, readers);
        await MeasureWaitingAsync(scheduler, readers, options.IsShort ? Waiting / 10 : Waiting);
    }

    private static async Task MeasureReadingAsync(CommandLine options, Reader[] readers)
    {
        var results = new Results(
            $"Frames over {Senders} connections, as fast as they are read on one processor", "bytes/frame, way", "CPU ms/GiB", "GiB/s", "allocated MiB/GiB", "CPU ns/frame");
        (int Length, Reader Reader)[] variants = [.. (options.IsShort ? s_frameLengths[..1] : s_frameLengths).SelectMany(l => readers.Select(r => (l, r)))];
        await InTurnAsync(options, variants.Length, async (i, counts) =>
        {
            (int length, Reader reader) = variants[i];
            Process sender = Tool.StartSelf($"send {reader.Port} {Senders} {length}");
            try
            {
                long begun = reader.Frames.Bytes;
                while (reader.Frames.Bytes - begun < 1 << 20)
                    await Task.Delay(10);
                long bytes = reader.Frames.Bytes;
                long allocated = GC.GetTotalAllocatedBytes(precise: true);
                TimeSpan cpu = Environment.CpuUsage.TotalTime;
                long start = Stopwatch.GetTimestamp();
                await Task.Delay(TimeSpan.FromSeconds(options.Seconds));
                cpu = Environment.CpuUsage.TotalTime - cpu;
                double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
                allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
                bytes = reader.Frames.Bytes - bytes;
                if (counts)
                {
                    double gib = bytes / (double)(1 << 30);
                    double frames = bytes / (double)(length + Frames.HeaderLength);
                    results.Add(Row(length, reader), cpu.TotalMilliseconds / gib, gib / seconds, allocated / gib / (1 << 20), cpu.TotalNanoseconds / frames);
                }
            }
            finally
            {
                Tool.Stop(sender);
            }
        });
        results.Print(variants.Select(static v => Row(v.Length, v.Reader)));
    }

    private static string Row(int length, Reader reader) => $"{length:#,##0}, {reader.Name}";

    // Connections that have had one frame: objects on the heap, and buffers of the pool that are in use.
    private static async Task MeasureWaitingAsync(GoScheduler scheduler, Reader[] readers, int count)
    {
        var results = new Results($"{count:#,##0} connections that have had a frame of {s_frameLengths[0]} bytes and wait", "way", "heap bytes/connection", "pool bytes/connection");
        byte[] frame = FrameSender.Make(s_frameLengths[0], 1);
        foreach (Reader reader in readers)
        {
            (long heap, long pool) before = Held(scheduler);
            long bytes = reader.Frames.Bytes;
            var clients = new Socket[count];
            for (int i = 0; i < count; i++)
            {
                clients[i] = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                clients[i].Connect(IPAddress.Loopback, reader.Port);
                clients[i].Send(frame);
            }
            while (reader.Frames.Bytes - bytes < (long)count * frame.Length)
                await Task.Delay(10);
            await Task.Delay(100); // the last of them goes to wait
            (long heap, long pool) after = Held(scheduler);
            long own = ClientBytes();
            results.Add(reader.Name, ((after.heap - before.heap) / (double)count) - own, (after.pool - before.pool) / (double)count);
            foreach (Socket client in clients)
                client.Dispose();
            await Task.Delay(300);
        }
        results.Print();
    }

    private static (long Heap, long Pool) Held(GoScheduler scheduler) =>
        (GC.GetTotalMemory(forceFullCollection: true), scheduler.Buffers.GetStatistics().Classes.Sum(static c => c.Size * c.InUse));

    // The client's socket is on this heap as well.
    private static long ClientBytes()
    {
        const int Count = 100;
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(Count);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var clients = new Socket[Count];
        for (int i = 0; i < Count; i++)
        {
            clients[i] = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            clients[i].Connect(listener.LocalEndPoint!);
            clients[i].Send([0]);
        }
        long bytes = (GC.GetTotalMemory(forceFullCollection: true) - before) / Count;
        foreach (Socket client in clients)
            client.Dispose();
        return bytes;
    }

    /// <summary>A listener whose connections are read in one way.</summary>
    private sealed class Reader(string name)
    {
        public string Name => name;

        public Frames Frames { get; } = new();

        public int Port { get; private set; }

        public static async Task<Reader> OverConnectionsAsync(string name, GoScheduler scheduler, Func<NetConnection, Frames, BufferPool, Task> read)
        {
            var reader = new Reader(name);
            NetListener listener = await scheduler.RunAsync(static () => Task.FromResult(NetListener.Listen("127.0.0.1:0")));
            reader.Port = ((IPEndPoint)listener.LocalEndPoint).Port;
            scheduler.Spawn(async () =>
            {
                while (true)
                {
                    NetConnection connection = await listener.AcceptAsync();
                    scheduler.Spawn(() => UntilBrokenAsync(read(connection, reader.Frames, scheduler.Buffers)));
                }
            });
            return reader;
        }

        public static async Task<Reader> OverPipesAsync(string name, GoScheduler scheduler)
        {
            var reader = new Reader(name);
            var factory = new NetpollTransportFactory(new NetpollTransportOptions { Scheduler = scheduler });
            IConnectionListener listener = await factory.BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
            reader.Port = ((IPEndPoint)listener.EndPoint).Port;
            scheduler.Spawn(async () =>
            {
                while (await listener.AcceptAsync() is { } connection)
                    scheduler.Spawn(() => ReadAsync(connection));
            });
            return reader;

            async Task ReadAsync(ConnectionContext connection)
            {
                await using (connection)
                    await UntilBrokenAsync(reader.Frames.ReadPipeAsync(connection.Transport.Input));
            }
        }

        // The sender is killed in the middle of a frame.
        private static async Task UntilBrokenAsync(Task reading)
        {
            try
            {
                await reading;
            }
            catch (Exception e) when (e is IOException or ConnectionResetException)
            {
            }
        }
    }
}
