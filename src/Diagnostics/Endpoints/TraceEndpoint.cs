using System.Globalization;
using System.IO.Pipelines;

namespace NetGo.Diagnostics;

/// <summary>Takes an execution trace for some seconds, and sends it as it is taken: "?seconds=N&amp;format=go|perfetto".</summary>
internal static class TraceEndpoint
{
    private const int DefaultSeconds = 1; // as Go's

    private static readonly ProfileGate s_gate = new("A trace");

    // The trace is written by a thread of the pool, and the answer by this goroutine. A client that reads too slowly loses events, and no more.
    public static async ValueTask ServeAsync(DebugExchange exchange)
    {
        TimeSpan duration = TimeSpan.FromSeconds(exchange.NumberOf("seconds", DefaultSeconds, 1, (int)Math.Max(1, exchange.Options.MaxDuration.TotalSeconds)));
        (TraceFormat format, string type, string extension) = exchange.Request.QueryOf("format") switch
        {
            null or "" or "go" => (TraceFormat.Go, "application/octet-stream", "trace"),
            "perfetto" => (TraceFormat.Perfetto, "application/json", "json"),
            _ => throw new DebugRequestException(400, "format must be go or perfetto."),
        };
        string name = $"netgo-{DateTime.UtcNow.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture)}.{extension}";
        using IDisposable gate = s_gate.Enter();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(exchange.Request.Aborted);
        var pipe = new Pipe();
        TraceSession session = GoTrace.Start(pipe.Writer.AsStream(), new TraceOptions { Format = format, Scheduler = exchange.Scheduler });
        Task taking = TakeAsync(session, pipe.Writer, duration, end.Token);
        try
        {
            exchange.Begin(200, type, ("Content-Disposition", $"attachment; filename=\"{name}\""));
            while (true)
            {
                ReadResult read = await pipe.Reader.ReadAsync();
                foreach (ReadOnlyMemory<byte> piece in read.Buffer)
                    await exchange.WriteAsync(piece);
                pipe.Reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    break;
            }
        }
        finally
        {
            await end.CancelAsync(); // of no use when the client has gone
            await pipe.Reader.CompleteAsync(); // what is written from now on is dropped
            await taking;
        }
    }

    private static async Task TakeAsync(TraceSession session, PipeWriter writer, TimeSpan duration, CancellationToken aborted)
    {
        await Task.Delay(duration, aborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Exception? failure = null;
        try
        {
            await session.StopAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) // the answer fails with it
        {
            failure = e;
        }
        await writer.CompleteAsync(failure).ConfigureAwait(false);
    }
}
