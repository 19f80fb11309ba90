using System.Buffers;
using System.Buffers.Binary;

namespace Echo;

/// <summary>The protocol: a length of 4 bytes, big-endian, and that many bytes.</summary>
internal static class Frame
{
    /// <summary>The longest payload, in bytes: it is kept in memory until it is whole.</summary>
    public const int MaxLength = 1024 * 1024;

    private const int HeaderLength = 4;

    /// <summary>Takes the first frame off the input; false when it is not whole yet.</summary>
    /// <exception cref="InvalidDataException">It is longer than <see cref="MaxLength"/>.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> input, out ReadOnlySequence<byte> payload)
    {
        payload = default;
        var reader = new SequenceReader<byte>(input);
        if (!reader.TryReadBigEndian(out int length))
            return false;
        if (length is < 0 or > MaxLength)
            throw new InvalidDataException($"A frame of {(uint)length} bytes: {MaxLength} are allowed.");
        if (reader.Remaining < length)
            return false;
        payload = reader.UnreadSequence.Slice(0, length);
        input = input.Slice(payload.End);
        return true;
    }

    public static void Write(IBufferWriter<byte> output, in ReadOnlySequence<byte> payload)
    {
        BinaryPrimitives.WriteInt32BigEndian(output.GetSpan(HeaderLength), (int)payload.Length);
        output.Advance(HeaderLength);
        foreach (ReadOnlyMemory<byte> piece in payload)
            output.Write(piece.Span);
    }
}
