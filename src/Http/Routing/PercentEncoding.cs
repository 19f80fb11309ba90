using System.Buffers;
using System.Text;

namespace NetGo.Http;

/// <summary>Percent-encoding of path segments (RFC 3986, section 2.1). A plus sign is a plus sign here.</summary>
internal static class PercentEncoding
{
    private const int StackBytes = 256;

    // RFC 3986, section 3.3: pchar, the slash, and the percent sign of what is escaped already.
    private static readonly SearchValues<byte> s_pathBytes = SearchValues.Create(
        "!$%&'()*+,-./0123456789:;=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"u8);

    /// <summary>
    /// Unescapes <paramref name="source"/>: <see cref="OperationStatus.InvalidData"/> at a percent sign without two
    /// hexadecimal digits, <see cref="OperationStatus.DestinationTooSmall"/> when there is no room.
    /// </summary>
    public static OperationStatus Decode(ReadOnlySpan<byte> source, Span<byte> destination, out int written)
    {
        written = 0;
        while (!source.IsEmpty)
        {
            int plain = source.IndexOf((byte)'%');
            if (plain < 0)
                plain = source.Length;
            if (!source[..plain].TryCopyTo(destination[written..]))
                return OperationStatus.DestinationTooSmall;
            written += plain;
            source = source[plain..];
            if (source.IsEmpty)
                break;

            if (source.Length < 3 || !char.IsAsciiHexDigit((char)source[1]) || !char.IsAsciiHexDigit((char)source[2]))
                return OperationStatus.InvalidData;
            if (written == destination.Length)
                return OperationStatus.DestinationTooSmall;
            destination[written++] = (byte)((HexValue(source[1]) << 4) | HexValue(source[2]));
            source = source[3..];
        }

        return OperationStatus.Done;
    }

    /// <summary>The unescaped UTF-8 of <paramref name="segment"/>, or its UTF-8 as it is where the escapes are malformed.</summary>
    public static byte[] DecodeOrKeep(ReadOnlySpan<char> segment)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(segment)];
        Encoding.UTF8.GetBytes(segment, bytes);
        byte[] decoded = new byte[bytes.Length];
        return Decode(bytes, decoded, out int written) == OperationStatus.Done ? decoded[..written] : bytes;
    }

    /// <summary>The unescaped text of <paramref name="source"/>, or its text as it is where the escapes are malformed.</summary>
    public static string DecodeToString(ReadOnlySpan<byte> source)
    {
        if (!source.Contains((byte)'%'))
            return Encoding.UTF8.GetString(source);

        byte[]? rented = null;
        Span<byte> buffer = source.Length <= StackBytes
            ? stackalloc byte[StackBytes]
            : rented = ArrayPool<byte>.Shared.Rent(source.Length);
        OperationStatus status = Decode(source, buffer, out int written);
        string value = Encoding.UTF8.GetString(status == OperationStatus.Done ? buffer[..written] : source);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return value;
    }

    /// <summary>
    /// <paramref name="path"/>, escaped already, with all that may not stand in a path escaped too: a backslash, for one,
    /// which browsers read as a slash.
    /// </summary>
    public static string EscapePath(ReadOnlySpan<byte> path)
    {
        var escaped = new StringBuilder(path.Length);
        foreach (byte value in path)
        {
            if (s_pathBytes.Contains(value))
                escaped.Append((char)value);
            else
                escaped.Append('%').Append(value.ToString("X2", null));
        }

        return escaped.ToString();
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
