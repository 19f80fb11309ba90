using System.Globalization;
using System.IO.Compression;

namespace NetGo.Diagnostics;

// Samples by stack, and how they are written: as profile.proto, gzipped, or as the text that Go has for debug=1.
//
// The numbers of profile.proto's fields (github.com/google/pprof, proto/profile.proto):
//   Profile    sample_type 1, sample 2, mapping 3, location 4, function 5, string_table 6, time_nanos 9, duration_nanos 10, period_type 11,
//              period 12, comment 13, default_sample_type 14
//   ValueType  type 1, unit 2
//   Sample     location_id 1, value 2, label 3
//   Label      key 1, str 2
//   Mapping    id 1, filename 5, has_functions 7, has_filenames 8, has_line_numbers 9
//   Location   id 1, mapping_id 2, line 4
//   Line       function_id 1, line 2
//   Function   id 1, name 2, system_name 3, filename 4
internal sealed class Profile(params ProfileUnit[] units)
{
    private readonly Dictionary<ProfileStack, long[]> _samples = [];

    /// <summary>When it begins.</summary>
    public DateTimeOffset Start { get; init; } = DateTimeOffset.UtcNow;

    /// <summary>How long it takes; zero when it is of a moment.</summary>
    public TimeSpan Duration { get; set; }

    /// <summary>What lies between two samples, in <see cref="PeriodUnit"/>.</summary>
    public long Period { get; init; }

    public ProfileUnit PeriodUnit { get; init; }

    /// <summary>What the reader should know.</summary>
    public string? Comment { get; set; }

    public IReadOnlyCollection<KeyValuePair<ProfileStack, long[]>> Samples => _samples;

    /// <summary>Adds a sample to those of the same stack.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="values">One for each unit.</param>
    public void Add(ProfileStack stack, params ReadOnlySpan<long> values)
    {
        if (!_samples.TryGetValue(stack, out long[]? sums))
            _samples.Add(stack, sums = new long[units.Length]);
        for (int i = 0; i < sums.Length; i++)
            sums[i] += values[i];
    }

    /// <summary>The sum of the values of a unit.</summary>
    public long Total(int unit) => _samples.Values.Sum(values => values[unit]);

    // ---- profile.proto ----

    public async Task WriteGzippedAsync(Stream output, CancellationToken cancellationToken)
    {
        byte[] message = ToProtobuf();
        var gzip = new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true);
        await using (gzip.ConfigureAwait(false))
            await gzip.WriteAsync(message, cancellationToken).ConfigureAwait(false);
    }

    internal byte[] ToProtobuf()
    {
        var writer = new ProtobufWriter();
        var tables = new Tables();
        foreach (ProfileUnit unit in units)
            writer.Field(1, tables.ValueType(unit));
        foreach ((ProfileStack stack, long[] values) in _samples)
            writer.Field(2, tables.Sample(stack, values));
        var mapping = new ProtobufWriter();
        mapping.Field(1, 1);
        mapping.Field(5, tables.Text(Environment.ProcessPath ?? ""));
        mapping.Field(7, 1);
        mapping.Field(8, 1);
        mapping.Field(9, 1);
        writer.Field(3, mapping);
        writer.Field(9, (Start - DateTimeOffset.UnixEpoch).Ticks * 100);
        writer.Field(10, Duration.Ticks * 100);
        if (Period > 0)
        {
            writer.Field(11, tables.ValueType(PeriodUnit));
            writer.Field(12, Period);
        }
        if (Comment is not null)
            writer.Packed(13, [tables.Text(Comment)]);
        writer.Field(14, tables.Text(units[^1].Name));
        tables.WriteTo(writer);
        return writer.Written.ToArray();
    }

    private sealed class Tables
    {
        private readonly Dictionary<string, int> _texts = new() { [""] = 0 };
        private readonly Dictionary<GoroutineFrame, int> _locations = [];
        private readonly Dictionary<(string Method, string? File), int> _functions = [];
        private readonly ProtobufWriter _written = new();

        public int Text(string text)
        {
            if (!_texts.TryGetValue(text, out int index))
                _texts.Add(text, index = _texts.Count);
            return index;
        }

        public ProtobufWriter ValueType(ProfileUnit unit)
        {
            var message = new ProtobufWriter();
            message.Field(1, Text(unit.Name));
            message.Field(2, Text(unit.Unit));
            return message;
        }

        public ProtobufWriter Sample(ProfileStack stack, long[] values)
        {
            var message = new ProtobufWriter();
            message.Packed(1, stack.Frames.Select(frame => (long)Location(frame)).ToArray());
            message.Packed(2, values);
            if (stack.LabelKey is not null && stack.Label is not null)
            {
                var label = new ProtobufWriter();
                label.Field(1, Text(stack.LabelKey));
                label.Field(2, Text(stack.Label));
                message.Field(3, label);
            }
            return message;
        }

        public void WriteTo(ProtobufWriter writer)
        {
            writer.Append(_written);
            foreach (string text in _texts.Keys) // in the order in which they were added: none has been removed
                writer.Field(6, text);
        }

        private int Location(GoroutineFrame frame)
        {
            if (_locations.TryGetValue(frame, out int id))
                return id;
            _locations.Add(frame, id = _locations.Count + 1);
            var line = new ProtobufWriter();
            line.Field(1, Function(frame));
            line.Field(2, frame.Line);
            var location = new ProtobufWriter();
            location.Field(1, id);
            location.Field(2, 1);
            location.Field(4, line);
            _written.Field(4, location);
            return id;
        }

        private int Function(GoroutineFrame frame)
        {
            if (_functions.TryGetValue((frame.Method, frame.File), out int id))
                return id;
            _functions.Add((frame.Method, frame.File), id = _functions.Count + 1);
            var function = new ProtobufWriter();
            function.Field(1, id);
            function.Field(2, Text(frame.Method));
            function.Field(3, Text(frame.Method));
            function.Field(4, Text(frame.File ?? ""));
            _written.Field(5, function);
            return id;
        }
    }

    // ---- Text ----

    /// <summary>The stacks with their values, the greatest first, as Go's debug=1: "7 @ ..." and a line for each frame.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="name">Of the profile.</param>
    public void WriteText(TextWriter writer, string name)
    {
        writer.Write(string.Create(CultureInfo.InvariantCulture, $"{name} profile: total {Total(0)}\n"));
        if (Comment is not null)
            writer.Write($"# {Comment}\n");
        foreach ((ProfileStack stack, long[] values) in _samples.OrderByDescending(static s => s.Value[^1]))
        {
            writer.Write(string.Join(' ', values.Select(static v => v.ToString(CultureInfo.InvariantCulture))));
            writer.Write(stack.Label is null ? " @\n" : $" @ {stack.LabelKey}={stack.Label}\n");
            foreach (GoroutineFrame frame in stack.Frames)
            {
                writer.Write(frame.File is null
                    ? $"#\t{frame.Method}\n"
                    : string.Create(CultureInfo.InvariantCulture, $"#\t{frame.Method}\t{frame.File}:{frame.Line}\n"));
            }
            writer.Write('\n');
        }
    }
}
