using System.Buffers;
using System.Text;

namespace Resp.Tests;

/// <summary>Bytes in pieces, as they may lie in a connection's buffers.</summary>
internal sealed class Pieces : ReadOnlySequenceSegment<byte>
{
    private Pieces(ReadOnlyMemory<byte> bytes, long index)
    {
        Memory = bytes;
        RunningIndex = index;
    }

    /// <param name="bytes">All of them.</param>
    /// <param name="cuts">Where one piece ends and the next begins; two alike make an empty one.</param>
    public static ReadOnlySequence<byte> Cut(byte[] bytes, params int[] cuts)
    {
        var first = new Pieces(bytes.AsMemory(0, cuts.Length > 0 ? cuts[0] : bytes.Length), 0);
        Pieces last = first;
        for (int i = 0; i < cuts.Length; i++)
        {
            int end = i + 1 < cuts.Length ? cuts[i + 1] : bytes.Length;
            var next = new Pieces(bytes.AsMemory(cuts[i]..end), cuts[i]);
            last.Next = next;
            last = next;
        }
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    public static byte[] Of(string text) => Encoding.Latin1.GetBytes(text);
}
