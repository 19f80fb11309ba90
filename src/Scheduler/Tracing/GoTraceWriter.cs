using System.Buffers;
using System.Text;

namespace NetGo;

// Go's execution trace as Go 1.11 to 1.21 write it, of the version that they call 1.19: `go tool trace` of these and of later ones reads it. The format
// is described in golang/go src/runtime/trace.go and src/internal/trace/parser.go of 1.19: a head of 16 bytes, then events, each a byte (the type in
// the low 6 bits, the number of arguments less one above them) and base-128 numbers; from four arguments on the length comes first. Events
// of a processor come in batches, with the time since the one before as their first argument. Strings and stacks have numbers, and stand beside.
internal sealed class GoTraceWriter : ITraceWriter
{
    private const int MaxBatch = 32 * 1024;
    private const int MaxString = 64 * 1024;
    private const int MaxInlineArguments = 3;

    // What comes from no processor goes where Go's viewer has its timers: of any other number it makes a processor.
    private const int OutsideRow = 1_000_000;

    private readonly Dictionary<int, Batch> _batches = [];
    private readonly Dictionary<string, ulong> _strings = [];
    private readonly Dictionary<(string Site, Type? Type, string? Region), ulong> _stacks = [];
    private readonly Dictionary<long, Stack<string>> _regions = [];
    private readonly Dictionary<long, string> _sites = [];
    private ulong _collections;

    private enum Event : byte
    {
        Batch = 1,
        Frequency = 2,
        Stack = 3,
        Gomaxprocs = 4,
        ProcStart = 5,
        ProcStop = 6,
        GCStart = 7,
        GCDone = 8,
        GCSTWStart = 9,
        GCSTWDone = 10,
        GoCreate = 13,
        GoStart = 14,
        GoEnd = 15,
        GoSched = 17,
        GoPreempt = 18,
        GoSleep = 19,
        GoBlock = 20,
        GoUnblock = 21,
        GoBlockSend = 22,
        GoBlockRecv = 23,
        GoBlockSelect = 24,
        GoBlockSync = 25,
        GoBlockCond = 26,
        GoBlockNet = 27,
        GoSysCall = 28,
        GoSysExit = 29,
        GoSysBlock = 30,
        GoWaiting = 31,
        HeapAlloc = 33,
        String = 37,
        UserTaskCreate = 45,
        UserTaskEnd = 46,
        UserRegion = 47,
        UserLog = 48,
    }

    private sealed class Batch(long time)
    {
        public readonly ArrayBufferWriter<byte> Bytes = new(1024);
        public readonly long Begin = time;
        public long Last = time;
    }

    public ArrayBufferWriter<byte> Output { get; } = new(64 * 1024);

    public void Begin(long time, int processors)
    {
        Output.Write("go 1.19 trace\0\0\0"u8);
        Put(Output, Event.Frequency, 1_000_000_000);
        Add(-1, time, Event.Gomaxprocs, (ulong)processors, 0);
    }

    public void NameRow(int row, string name)
    {
        // Go's viewer names them itself, by their numbers.
    }

    public void Write(in TraceStep e)
    {
        ulong g = (ulong)e.Goroutine;
        var sequence = (ulong)e.Sequence;
        switch (e.Kind)
        {
            case TraceStepKind.RowStarts:
                Add(e.Row, e.Time, Event.ProcStart, (ulong)e.Value);
                break;
            case TraceStepKind.RowStops:
                Add(e.Row, e.Time, Event.ProcStop);
                break;
            case TraceStepKind.Created:
                string site = (string)e.Reference!;
                _sites[e.Goroutine] = site;
                Add(e.Row, e.Time, Event.GoCreate, g, Stack(site, null, null), 0);
                break;
            case TraceStepKind.WasWaiting:
                Add(e.Row, e.Time, Event.GoWaiting, g);
                break;
            case TraceStepKind.Starts:
                Add(e.Row, e.Time, Event.GoStart, g, sequence);
                break;
            case TraceStepKind.Ends:
                _sites.Remove(e.Goroutine);
                _regions.Remove(e.Goroutine);
                Add(e.Row, e.Time, Event.GoEnd);
                break;
            case TraceStepKind.Yields:
                Add(e.Row, e.Time, Event.GoSched, StackOf(e));
                break;
            case TraceStepKind.Preempted:
                Add(e.Row, e.Time, Event.GoPreempt, StackOf(e));
                break;
            case TraceStepKind.Blocks:
                Add(e.Row, e.Time, BlockFor((WaitReason)e.Detail), StackOf(e));
                break;
            case TraceStepKind.Unblocked:
                Add(e.Row, e.Time, Event.GoUnblock, g, sequence, 0);
                break;
            case TraceStepKind.EntersSyscall:
                Add(e.Row, e.Time, Event.GoSysCall, StackOf(e));
                break;
            case TraceStepKind.SyscallBlocks:
                Add(e.Row, e.Time, Event.GoSysBlock);
                break;
            case TraceStepKind.SyscallEnds:
                Add(e.Row, e.Time, Event.GoSysExit, g, sequence, 0);
                break;
            default:
                WriteOther(e);
                break;
        }
    }

    private void WriteOther(in TraceStep e)
    {
        switch (e.Kind)
        {
            case TraceStepKind.TaskBegins:
                Add(e.Row, e.Time, Event.UserTaskCreate, (ulong)e.Value, (ulong)e.Goroutine, Number((string)e.Reference!), 0);
                break;
            case TraceStepKind.TaskEnds:
                Add(e.Row, e.Time, Event.UserTaskEnd, (ulong)e.Value, 0);
                break;
            case TraceStepKind.RegionBegins:
                Add(e.Row, e.Time, Event.UserRegion, (ulong)e.Value, 0, Number((string)e.Reference!), StackOf(e, withRegion: false));
                if (!_regions.TryGetValue(e.Goroutine, out Stack<string>? regions))
                    _regions.Add(e.Goroutine, regions = []);
                regions.Push((string)e.Reference!);
                break;
            case TraceStepKind.RegionEnds:
                _regions[e.Goroutine].Pop();
                Add(e.Row, e.Time, Event.UserRegion, (ulong)e.Value, 1, Number((string)e.Reference!), StackOf(e, withRegion: false));
                break;
            case TraceStepKind.Log:
                var message = (TraceMessage)e.Reference!;
                Add(e.Row, e.Time, Event.UserLog, (ulong)e.Value, Number(message.Category), StackOf(e));
                PutString(_batches[Known(e.Row)].Bytes, message.Message);
                break;
            case TraceStepKind.CollectionBegins:
                Add(-1, e.Time, Event.GCStart, _collections++, 0);
                break;
            case TraceStepKind.CollectionEnds:
                Add(-1, e.Time, Event.GCDone);
                break;
            case TraceStepKind.PauseBegins:
                Add(0, e.Time, Event.GCSTWStart, 0); // in some row: the viewer would make one of its own for none
                break;
            case TraceStepKind.PauseEnds:
                Add(0, e.Time, Event.GCSTWDone);
                break;
            case TraceStepKind.Heap:
                Add(-1, e.Time, Event.HeapAlloc, (ulong)e.Value);
                break;
        }
    }

    public void Flush()
    {
        foreach ((int row, Batch batch) in _batches)
            Flush(row, batch);
        _batches.Clear();
    }

    public void End() => Flush();

    private static Event BlockFor(WaitReason reason) => reason switch
    {
        WaitReason.Sleep => Event.GoSleep,
        WaitReason.IOWait => Event.GoBlockNet,
        WaitReason.ChannelSend => Event.GoBlockSend,
        WaitReason.ChannelReceive => Event.GoBlockRecv,
        WaitReason.Select => Event.GoBlockSelect,
        WaitReason.Mutex or WaitReason.RWMutexRead or WaitReason.RWMutexWrite or WaitReason.Semaphore or WaitReason.WaitGroup or WaitReason.Once => Event.GoBlockSync,
        WaitReason.Cond => Event.GoBlockCond,
        _ => Event.GoBlock,
    };

    // ---- Batches ----

    private static int Known(int row) => row < 0 ? OutsideRow : row;

    private void Add(int row, long time, Event type, params ReadOnlySpan<ulong> arguments)
    {
        row = Known(row);
        if (!_batches.TryGetValue(row, out Batch? batch))
            _batches.Add(row, batch = new Batch(time));
        Span<ulong> all = stackalloc ulong[8];
        all[0] = (ulong)(time - batch.Last);
        arguments.CopyTo(all[1..]);
        batch.Last = time;
        Put(batch.Bytes, type, all[..(arguments.Length + 1)]);
        if (batch.Bytes.WrittenCount < MaxBatch || type == Event.UserLog) // whose text is still to come
            return;
        Flush(row, batch);
        _batches.Remove(row);
    }

    private void Flush(int row, Batch batch)
    {
        Put(Output, Event.Batch, (ulong)row, (ulong)batch.Begin);
        Output.Write(batch.Bytes.WrittenSpan);
    }

    // ---- Stacks: the async method that waits, if it is known; the region that it is in, if any; and where its goroutine was spawned ----

    private ulong StackOf(in TraceStep e, bool withRegion = true)
    {
        if (!_sites.TryGetValue(e.Goroutine, out string? site))
            return 0;
        string? region = withRegion && _regions.TryGetValue(e.Goroutine, out Stack<string>? regions) && regions.Count > 0 ? regions.Peek() : null;
        return Stack(site, e.Reference as Type, region);
    }

    private ulong Stack(string site, Type? type, string? region)
    {
        if (_stacks.TryGetValue((site, type, region), out ulong id))
            return id;
        id = (ulong)_stacks.Count + 1;
        _stacks.Add((site, type, region), id);
        int colon = site.LastIndexOf(':');
        (string file, ulong line) = colon > 0 && ulong.TryParse(site.AsSpan(colon + 1), out ulong n) ? (site[..colon], n) : ("", 0ul);
        List<ulong> frames = [];
        if (type is not null)
            AddFrame(frames, MethodNames.OfBox(type), "", 0);
        if (region is not null)
            AddFrame(frames, region, "", 0);
        AddFrame(frames, site, file, line);
        Put(Output, Event.Stack, [id, (ulong)frames.Count / 4, .. frames]);
        return id;
    }

    // A frame is known by its program counter, for which the number of its name will do.
    private void AddFrame(List<ulong> frames, string name, string file, ulong line) => frames.AddRange([Number(name), Number(name), Number(file), line]);

    private ulong Number(string text)
    {
        if (text.Length == 0)
            return 0;
        if (_strings.TryGetValue(text, out ulong id))
            return id;
        id = (ulong)_strings.Count + 1;
        _strings.Add(text, id);
        PutByte(Output, (byte)Event.String);
        Put(Output, id);
        PutString(Output, text);
        return id;
    }

    // ---- Bytes ----

    private static void Put(ArrayBufferWriter<byte> bytes, Event type, params ReadOnlySpan<ulong> arguments)
    {
        if (arguments.Length <= MaxInlineArguments)
        {
            PutByte(bytes, (byte)((int)type | ((arguments.Length - 1) << 6)));
        }
        else
        {
            PutByte(bytes, (byte)((int)type | (MaxInlineArguments << 6)));
            ulong length = 0;
            foreach (ulong argument in arguments)
                length += (ulong)Length(argument);
            Put(bytes, length);
        }
        foreach (ulong argument in arguments)
            Put(bytes, argument);
    }

    private static int Length(ulong value)
    {
        int length = 1;
        while ((value >>= 7) != 0)
            length++;
        return length;
    }

    private static void Put(ArrayBufferWriter<byte> bytes, ulong value)
    {
        Span<byte> free = bytes.GetSpan(10);
        int length = 0;
        for (; value >= 0x80; value >>= 7)
            free[length++] = (byte)(value | 0x80);
        free[length++] = (byte)value;
        bytes.Advance(length);
    }

    private static void PutByte(ArrayBufferWriter<byte> bytes, byte value)
    {
        bytes.GetSpan(1)[0] = value;
        bytes.Advance(1);
    }

    private static void PutString(ArrayBufferWriter<byte> bytes, string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text.Length <= MaxString ? text : text[..MaxString]);
        Put(bytes, (ulong)utf8.Length);
        bytes.Write(utf8);
    }
}
