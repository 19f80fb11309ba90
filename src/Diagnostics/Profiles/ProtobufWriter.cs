using System.Buffers;
using System.Text;

namespace NetGo.Diagnostics;

/// <summary>Writes messages in the wire format of protocol buffers: what profile.proto needs of it.</summary>
internal sealed class ProtobufWriter
{
    private const int WireVarint = 0;
    private const int WireBytes = 2;

    private readonly ArrayBufferWriter<byte> _buffer = new();

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    /// <summary>A number, unless it is 0, which is what a field that is missing means.</summary>
    public void Field(int field, long value)
    {
        if (value == 0)
            return;
        Varint((ulong)(field << 3 | WireVarint));
        Varint((ulong)value);
    }

    /// <summary>A string; an empty one as well, for in a table each has its place.</summary>
    public void Field(int field, string value) => Field(field, Encoding.UTF8.GetBytes(value));

    /// <summary>A message.</summary>
    public void Field(int field, ProtobufWriter message) => Field(field, message.Written);

    /// <summary>A repeated number, packed.</summary>
    public void Packed(int field, IEnumerable<long> values)
    {
        var packed = new ProtobufWriter();
        foreach (long value in values)
            packed.Varint((ulong)value);
        Field(field, packed.Written);
    }

    /// <summary>The fields of another writer, as if they had been written here.</summary>
    public void Append(ProtobufWriter fields) => _buffer.Write(fields.Written);

    private void Field(int field, ReadOnlySpan<byte> bytes)
    {
        Varint((ulong)(field << 3 | WireBytes));
        Varint((ulong)bytes.Length);
        _buffer.Write(bytes);
    }

    private void Varint(ulong value)
    {
        Span<byte> bytes = stackalloc byte[10];
        int n = 0;
        for (; value >= 0x80; value >>= 7)
            bytes[n++] = (byte)(value | 0x80);
        bytes[n++] = (byte)value;
        _buffer.Write(bytes[..n]);
    }
}
