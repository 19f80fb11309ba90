using System.IO.Compression;
using System.Text;

namespace NetGo.Diagnostics.Tests;

/// <summary>A profile.proto as a reader of it understands it.</summary>
internal sealed class ParsedProfile
{
    private readonly List<string> _texts = [];
    private readonly List<byte[]> _samples = [];
    private readonly List<byte[]> _types = [];
    private readonly Dictionary<long, (string Name, string File)> _functions = [];
    private readonly Dictionary<long, (long Function, long Line)> _locations = [];

    public static ParsedProfile FromGzip(Stream stream)
    {
        using var gzip = new GZipStream(stream, CompressionMode.Decompress);
        var message = new MemoryStream();
        gzip.CopyTo(message);
        return new ParsedProfile(message.ToArray());
    }

    public ParsedProfile(byte[] message)
    {
        List<(int Field, long Number, byte[] Bytes)> fields = [.. Fields(message)];
        _texts.AddRange(fields.Where(f => f.Field == 6).Select(f => Encoding.UTF8.GetString(f.Bytes)));
        _samples.AddRange(fields.Where(f => f.Field == 2).Select(f => f.Bytes));
        _types.AddRange(fields.Where(f => f.Field == 1).Select(f => f.Bytes));
        foreach (var (_, _, bytes) in fields.Where(f => f.Field == 5))
            _functions.Add(Number(bytes, 1), (_texts[(int)Number(bytes, 2)], _texts[(int)Number(bytes, 4)]));
        foreach (var (_, _, bytes) in fields.Where(f => f.Field == 4))
        {
            byte[] line = Fields(bytes).Single(f => f.Field == 4).Bytes;
            _locations.Add(Number(bytes, 1), (Number(line, 1), Number(line, 2)));
        }
    }

    public IReadOnlyList<string> Types => [.. _types.Select(t => $"{_texts[(int)Number(t, 1)]}/{_texts[(int)Number(t, 2)]}")];

    public IReadOnlyList<(long[] Values, string[] Stack)> Samples =>
        [.. _samples.Select(s => (Packed(s, 2), Packed(s, 1).Select(id => Frame(_locations[id])).ToArray()))];

    private string Frame((long Function, long Line) location)
    {
        (string name, string file) = _functions[location.Function];
        return file.Length == 0 ? name : $"{name} {Path.GetFileName(file)}:{location.Line}";
    }

    private static long Number(byte[] message, int field) => Fields(message).FirstOrDefault(f => f.Field == field).Number;

    private static long[] Packed(byte[] message, int field)
    {
        byte[] bytes = Fields(message).Single(f => f.Field == field).Bytes;
        var values = new List<long>();
        for (int i = 0; i < bytes.Length;)
            values.Add(Varint(bytes, ref i));
        return [.. values];
    }

    private static IEnumerable<(int Field, long Number, byte[] Bytes)> Fields(byte[] message)
    {
        for (int i = 0; i < message.Length;)
        {
            long tag = Varint(message, ref i);
            long value = Varint(message, ref i);
            if ((tag & 7) == 0)
            {
                yield return ((int)(tag >> 3), value, []);
                continue;
            }
            Assert.Equal(2, tag & 7);
            yield return ((int)(tag >> 3), 0, message[i..(i + (int)value)]);
            i += (int)value;
        }
    }

    private static long Varint(byte[] bytes, ref int i)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte b = bytes[i++];
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
                return (long)value;
        }
    }
}
