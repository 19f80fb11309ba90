namespace NetGo;

// A trace that is being taken. Its loop, on the thread pool, reads the rings every 20 ms and has what is older than Delay told in the order of time:
// the runtime's events come late, and of two threads one may be stopped between looking at the clock and writing its record.

/// <summary>A trace that is being taken; see <see cref="GoTrace.Start"/>. Disposing of it stops it.</summary>
public sealed class TraceSession : IAsyncDisposable
{
    private const long Millisecond = 1_000_000;
    private const long Delay = 300 * Millisecond;
    private const long BetweenLooks = 5_000 * Millisecond;
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(20);

    private readonly GoScheduler _scheduler;
    private readonly Stream _output;
    private readonly ITraceWriter _writer;
    private readonly TraceReplay _replay;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private readonly bool _collections;
    private readonly List<TraceEntry> _entries = [];
    private bool _toldOfThoseThatWaited;
    private bool _hasLost;
    private long _lookedForMissing;
    private long _lost;
    private long _bytes;

    internal TraceSession(GoScheduler scheduler, Stream output, ITraceWriter writer, bool collections)
    {
        _scheduler = scheduler;
        _output = output;
        _writer = writer;
        _collections = collections;
        TraceObserver tracer = scheduler.AcquireTracer(collections);
        try
        {
            var reader = new TraceReader(tracer, fromNow: true);
            Dictionary<long, GoroutineInfo> before = Before();
            _replay = new TraceReplay(writer, id => before.GetValueOrDefault(id)?.SpawnSite);
            _replay.Begin(TraceObserver.Now(), scheduler.MaxProcs);
            _loop = Task.Run(() => RunAsync(tracer, reader, before));
        }
        catch
        {
            scheduler.ReleaseTracer(tracer, collections);
            throw;
        }
    }

    /// <summary>How many events have been written so far.</summary>
    public long EventCount => _replay.Events;

    /// <summary>How many were lost, because they came faster than they could be written.</summary>
    public long LostCount => Volatile.Read(ref _lost);

    /// <summary>How many bytes have been written so far.</summary>
    public long ByteCount => Volatile.Read(ref _bytes);

    internal TraceReplay Replay => _replay;

    /// <summary>Ends the trace, and writes what there is of it. Go's trace.Stop.</summary>
    /// <param name="cancellationToken">Ends the wait for that, not the writing.</param>
    /// <exception cref="IOException">The stream could not be written to; or what else it has thrown.</exception>
    public Task StopAsync(CancellationToken cancellationToken = default)
    {
        _stop.Cancel();
        return _loop.WaitAsync(cancellationToken);
    }

    /// <summary><see cref="StopAsync"/>.</summary>
    public ValueTask DisposeAsync() => new(StopAsync());

    // The goroutines that there are already. Branches have no numbers of their own.
    private Dictionary<long, GoroutineInfo> Before()
    {
        var before = new Dictionary<long, GoroutineInfo>();
        foreach (GoroutineInfo g in _scheduler.Goroutines())
        {
            if (!g.IsBranch)
                before[g.Id] = g;
        }
        return before;
    }

    // The rings are its own, and not the session's, which may be kept for long.
    private async Task RunAsync(TraceObserver tracer, TraceReader reader, Dictionary<long, GoroutineInfo> before)
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                await Task.Delay(s_interval, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await DrainAsync(reader, TraceObserver.Now() - Delay, tracer, before, isLast: false).ConfigureAwait(false);
            }
            long end = TraceObserver.Now();
            if (_collections)
                await Task.Delay(TimeSpan.FromTicks(Delay / 100), CancellationToken.None).ConfigureAwait(false); // for what the runtime has still to tell
            await DrainAsync(reader, end, tracer, before, isLast: true).ConfigureAwait(false);
            _replay.End(end);
            await SendAsync().ConfigureAwait(false);
        }
        finally
        {
            _scheduler.ReleaseTracer(tracer, _collections);
        }
    }

    private async Task DrainAsync(TraceReader reader, long until, TraceObserver tracer, Dictionary<long, GoroutineInfo> before, bool isLast)
    {
        _entries.Clear();
        long lost = reader.Read(until, _entries);
        _lost += lost;
        _hasLost |= lost > 0;
        if (_entries.Count == 0 && !isLast)
            return;
        if (!_toldOfThoseThatWaited)
            TellOfThoseThatWaited(before);
        foreach (TraceEntry entry in _entries)
            _replay.Next(entry);
        if (_hasLost && until - _lookedForMissing > BetweenLooks)
            EndMissing(tracer, until);
        _replay.Next(new TraceEntry(new TraceRecord { Kind = TraceRecordKind.Heap, Time = until, Processor = -1, Value = GC.GetTotalMemory(false) }, null));
        await SendAsync().ConfigureAwait(false);
    }

    // What is lost may be the end of goroutines: they would be kept for as long as the trace goes on.
    private void EndMissing(TraceObserver tracer, long now)
    {
        HashSet<long> existing = [.. tracer.Branches];
        foreach (GoroutineInfo g in _scheduler.Goroutines())
            existing.Add(g.Id);
        _replay.EndMissing(existing);
        _hasLost = false;
        _lookedForMissing = now;
    }

    // Those that have been waiting since before the trace began, and wait still. Of the others the replay sees what they were when it first hears of them.
    private void TellOfThoseThatWaited(Dictionary<long, GoroutineInfo> before)
    {
        _toldOfThoseThatWaited = true;
        var moving = new HashSet<long>();
        foreach (TraceEntry entry in _entries)
            moving.Add(entry.Record.Goroutine);
        foreach (GoroutineInfo g in before.Values)
        {
            if (g.Status == GoroutineStatus.Waiting && !moving.Contains(g.Id))
                _replay.WasWaiting(g.Id);
        }
    }

    private async Task SendAsync()
    {
        _writer.Flush();
        if (_writer.Output.WrittenCount == 0)
            return;
        await _output.WriteAsync(_writer.Output.WrittenMemory).ConfigureAwait(false);
        await _output.FlushAsync().ConfigureAwait(false);
        _bytes += _writer.Output.WrittenCount;
        _writer.Output.ResetWrittenCount();
    }
}
