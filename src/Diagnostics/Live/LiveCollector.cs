using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace NetGo.Diagnostics;

// Collects what the live page shows, of one scheduler, for all that look at it. Nothing is collected, measured or traced while nobody does.
//
//   off          no timer, no memory
//   on           from the first View; a sample each second; until Patience has passed since the last View
//   on, traced   from the first View with the timeline; the rings are read ten times a second; until Patience has passed since the last such
//
// The samples are put into JSON once, and each viewer gets copies of those that it has not: what a viewer costs is the copying.
//
// _lock guards what the viewers see and is held for moments. The timer's callback has the rest for itself: one that comes while another
// runs returns at once.
internal sealed class LiveCollector(GoScheduler scheduler)
{
    private const int History = 120; // samples
    private const int TimelineHistory = 10;
    private const int TickMilliseconds = 100;
    private const int FirstSampleMilliseconds = 300;
    private const int SampleMilliseconds = 1000;

    private static readonly TimeSpan s_censusPart = TimeSpan.FromMilliseconds(2); // of each tick
    private static readonly TimeSpan s_censusAtOnce = TimeSpan.FromMilliseconds(20);
    private static readonly ConditionalWeakTable<GoScheduler, LiveCollector> s_all = [];

    private static readonly byte[] s_about = MakeAbout();

    private readonly Lock _lock = new();
    private readonly Queue<(long Number, byte[] Json)> _samples = new();
    private readonly Queue<(long Number, byte[] Json)> _timelines = new();
    private Timer? _timer;
    private long _lastView;
    private long _lastTimelineView;
    private long _nextSample;
    private bool _isTraced;
    private string? _failure;
    private long _number;

    // The timer's.
    private readonly Lock _ticking = new();
    private readonly ArrayBufferWriter<byte> _json = new();
    private LiveSampler? _sampler;
    private SpawnSites? _sites;
    private GoroutineCensus? _census;
    private PopulationSample? _population;
    private TimelineRecorder? _timeline;
    private long _countedSince; // spawns and runs; a timestamp

    /// <summary>For how long it goes on when nobody asks any more.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(5);

    public bool IsOn
    {
        get
        {
            lock (_lock)
                return _timer is not null;
        }
    }

    /// <summary>The one of a scheduler.</summary>
    public static LiveCollector Of(GoScheduler scheduler) => s_all.GetValue(scheduler, static s => new LiveCollector(s));

    /// <summary>Somebody looks: writes the samples that he has not, as JSON, and goes on collecting for a while.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="after">The number of the last sample that he has; 0 for none.</param>
    /// <param name="withTimeline">Whether he looks at the timeline.</param>
    public void View(IBufferWriter<byte> output, long after, bool withTimeline)
    {
        (long, byte[])[] samples;
        (long, byte[])[] timelines = [];
        long wait;
        bool isTraced;
        string? failure;
        lock (_lock)
        {
            long now = Environment.TickCount64;
            _lastView = now;
            if (withTimeline)
                _lastTimelineView = now;
            failure = _failure;
            if (_timer is null)
                Start(now);
            if (after > _number)
                after = 0; // of a process that was here before
            samples = [.. _samples.Where(s => s.Number > after)];
            if (withTimeline)
                timelines = [.. _timelines.Where(t => t.Number > after)];
            wait = Math.Clamp(_nextSample - now, 0, SampleMilliseconds);
            isTraced = _isTraced;
        }
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WritePropertyName("about"u8);
        json.WriteRawValue(s_about, skipInputValidation: true);
        json.WriteNumber("next"u8, wait);
        json.WriteBoolean("traced"u8, isTraced);
        if (failure is not null)
            json.WriteString("failure"u8, failure);
        WriteAll(json, "samples"u8, samples);
        WriteAll(json, "timelines"u8, timelines);
        json.WriteEndObject();
    }

    // The viewer's activity and the like are not the collector's.
    private void Start(long now)
    {
        _failure = null;
        _nextSample = now + FirstSampleMilliseconds;
        using AsyncFlowControl? flow = ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
        _timer = new Timer(static c => ((LiveCollector)c!).Tick(), this, 0, TickMilliseconds);
    }

    private static void WriteAll(Utf8JsonWriter json, ReadOnlySpan<byte> name, (long, byte[])[] all)
    {
        json.WriteStartArray(name);
        foreach ((_, byte[] one) in all)
            json.WriteRawValue(one, skipInputValidation: true);
        json.WriteEndArray();
    }

    private static byte[] MakeAbout()
    {
        using var process = Process.GetCurrentProcess();
        var about = new AboutSample(
            process.ProcessName, process.Id, new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds(), RuntimeInformation.FrameworkDescription,
            RuntimeInformation.OSDescription, Environment.ProcessorCount, SliceEnd.Names);
        return JsonSerializer.SerializeToUtf8Bytes(about, SampleJson.Default.AboutSample);
    }

    // ---- The timer's ----

    private void Tick()
    {
        if (!_ticking.TryEnter())
            return;
        try
        {
            Collect();
        }
        catch (Exception e) // of ours: the program is not to end by it
        {
            Stop($"{e.GetType()}: {e.Message}");
        }
        finally
        {
            _ticking.Exit();
        }
    }

    private void Collect()
    {
        bool traces;
        bool isDue;
        lock (_lock)
        {
            if (_timer is null)
                return; // a last tick that was under way
            long now = Environment.TickCount64;
            if (now - _lastView > Patience.TotalMilliseconds)
            {
                Stop(null);
                return;
            }
            traces = _lastTimelineView != 0 && now - _lastTimelineView <= Patience.TotalMilliseconds;
            isDue = now >= _nextSample;
            if (isDue)
                _nextSample = Math.Max(_nextSample + SampleMilliseconds, now + (SampleMilliseconds / 2));
        }
        _sampler ??= new LiveSampler(scheduler);
        _sites ??= new SpawnSites();
        _census ??= new GoroutineCensus(scheduler, _sites);
        if (traces != _timeline is not null)
            Trace(traces);
        _timeline?.Drain();
        if (isDue || _census.IsUnderWay)
            Count();
        if (isDue)
            Publish();
    }

    private void Trace(bool on)
    {
        _timeline?.Dispose();
        _timeline = on ? new TimelineRecorder(scheduler, _sites!) : null;
        _census!.Found = _timeline is { } timeline ? timeline.Learn : null;
        _sites!.Clear();
        _countedSince = on ? Stopwatch.GetTimestamp() : 0;
        if (on) // where those were spawned that are about to be seen running
            _census.Restart(s_censusAtOnce);
        lock (_lock)
        {
            _isTraced = on;
            _timelines.Clear();
        }
    }

    // Begun with each sample, unless it is under way still: with very many goroutines it takes more than a tick.
    private void Count()
    {
        if (!_census!.Advance(s_censusPart))
            return;
        _population = _census.Describe(_countedSince == 0 ? 0 : Stopwatch.GetElapsedTime(_countedSince).TotalSeconds);
        _sites!.Clear();
        if (_countedSince != 0)
            _countedSince = Stopwatch.GetTimestamp();
    }

    private void Publish()
    {
        long number = _number + 1;
        byte[] sample = ToJson(_sampler!.Take(number, _population));
        byte[]? timeline = _timeline is { } t ? ToJson(t.Take(number)) : null;
        _population = null;
        lock (_lock)
        {
            _number = number;
            Keep(_samples, (number, sample), History);
            if (timeline is not null)
                Keep(_timelines, (number, timeline), TimelineHistory);
        }
    }

    private static void Keep(Queue<(long, byte[])> queue, (long, byte[]) one, int most)
    {
        queue.Enqueue(one);
        if (queue.Count > most)
            queue.Dequeue();
    }

    private byte[] ToJson(Sample sample) => ToJson(json => JsonSerializer.Serialize(json, sample, SampleJson.Default.Sample));

    private byte[] ToJson(TimelineSample sample) => ToJson(json => JsonSerializer.Serialize(json, sample, SampleJson.Default.TimelineSample));

    private byte[] ToJson(Action<Utf8JsonWriter> write)
    {
        _json.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_json))
            write(json);
        return _json.WrittenSpan.ToArray();
    }

    private void Stop(string? failure)
    {
        lock (_lock)
        {
            _timer?.Dispose();
            _timer = null;
            _failure = failure;
            _isTraced = false;
            _lastTimelineView = 0;
            _samples.Clear();
            _timelines.Clear();
        }
        _timeline?.Dispose();
        _sampler?.Dispose();
        (_timeline, _sampler, _sites, _census, _population, _countedSince) = (null, null, null, null, null, 0);
        _json.Clear();
    }
}
