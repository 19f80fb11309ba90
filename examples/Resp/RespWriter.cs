using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Resp;

/// <summary>Writes replies.</summary>
internal sealed class RespWriter(IBufferWriter<byte> output)
{
    private const int MaxNumber = 24; // type, digits, CR LF

    /// <summary>2 or 3: what the client has asked for with HELLO.</summary>
    public int Version { get; set; } = 2;

    /// <summary>How many bytes have been written.</summary>
    public long Written { get; private set; }

    public void Ok() => Raw("+OK\r\n"u8);

    public void Simple(ReadOnlySpan<byte> text)
    {
        Raw("+"u8);
        Raw(text);
        Raw("\r\n"u8);
    }

    /// <param name="message">With its code: "ERR ...". A line's end in it would end the reply.</param>
    public void Error(string message)
    {
        Raw("-"u8);
        Raw(Encoding.UTF8.GetBytes(message.ReplaceLineEndings(" ")));
        Raw("\r\n"u8);
    }

    public void Integer(long value) => Number((byte)':', value);

    public void Null() => Raw(Version == 3 ? "_\r\n"u8 : "$-1\r\n"u8);

    /// <param name="value">Null for none.</param>
    public void Bulk(byte[]? value)
    {
        if (value is null)
            Null();
        else
            Bulk(value.AsSpan());
    }

    public void Bulk(ReadOnlySpan<byte> value)
    {
        // Most are small: one piece of memory for all of it.
        Span<byte> span = output.GetSpan(value.Length <= 1024 ? value.Length + MaxNumber + 2 : MaxNumber);
        int at = Format(span, (byte)'$', value.Length);
        if (value.Length <= 1024)
        {
            value.CopyTo(span[at..]);
            at += value.Length;
            span[at++] = (byte)'\r';
            span[at++] = (byte)'\n';
            Advance(at);
            return;
        }
        Advance(at);
        Raw(value);
        Raw("\r\n"u8);
    }

    /// <summary>So many replies follow.</summary>
    public void Array(int count) => Number((byte)'*', count);

    /// <summary>So many pairs of replies follow.</summary>
    public void Map(int pairs)
    {
        if (Version == 3)
            Number((byte)'%', pairs);
        else
            Array(pairs * 2);
    }

    private void Number(byte type, long value) => Advance(Format(output.GetSpan(MaxNumber), type, value));

    private static int Format(Span<byte> span, byte type, long value)
    {
        span[0] = type;
        Utf8Formatter.TryFormat(value, span[1..], out int digits);
        span[1 + digits] = (byte)'\r';
        span[2 + digits] = (byte)'\n';
        return 3 + digits;
    }

    private void Raw(ReadOnlySpan<byte> bytes)
    {
        output.Write(bytes);
        Written += bytes.Length;
    }

    private void Advance(int count)
    {
        output.Advance(count);
        Written += count;
    }
}
