using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Experiments;

/// <summary>Reading frames (a length of four bytes, big endian, and so many bytes), in the four ways that `reads` compares. Each byte of a frame is
/// looked at once.</summary>
internal sealed class Frames
{
    public const int HeaderLength = 4;

    private const int MaxLength = 60 * 1024;
    private const int ReadsBeforeYield = 32;

    private long _bytes;
    private long _sum;

    public long Bytes => Volatile.Read(ref _bytes);

    public long Sum => Volatile.Read(ref _sum);

    // ---- A stream, as most code reads one ----

    public async Task ReadStreamAsync(NetConnection connection, bool pooled)
    {
        await using Stream stream = new BufferedStream(connection.AsStream(), 16 * 1024);
        byte[] header = new byte[HeaderLength];
        while (await stream.ReadAtLeastAsync(header, HeaderLength, throwOnEndOfStream: false) == HeaderLength)
        {
            int length = LengthOf(header);
            byte[] frame = pooled ? ArrayPool<byte>.Shared.Rent(length) : new byte[length];
            if (await stream.ReadAtLeastAsync(frame.AsMemory(0, length), length, throwOnEndOfStream: false) < length)
                return;
            LookAt(frame.AsSpan(0, length));
            if (pooled)
                ArrayPool<byte>.Shared.Return(frame);
        }
    }

    // ---- A pipe that reads the descriptor itself ----

    public async Task ReadPipeAsync(PipeReader reader)
    {
        while (true)
        {
            ReadResult read = await reader.ReadAsync();
            ReadOnlySequence<byte> rest = read.Buffer;
            while (TryTake(ref rest))
            {
            }
            reader.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted)
                return;
        }
    }

    private bool TryTake(ref ReadOnlySequence<byte> rest)
    {
        if (rest.Length < HeaderLength)
            return false;
        Span<byte> header = stackalloc byte[HeaderLength];
        rest.Slice(0, HeaderLength).CopyTo(header);
        int length = LengthOf(header);
        if (rest.Length < HeaderLength + length)
            return false;
        foreach (ReadOnlyMemory<byte> piece in rest.Slice(HeaderLength, length))
            LookAt(piece.Span);
        rest = rest.Slice(HeaderLength + length);
        return true;
    }

    // ---- The connection itself, and a buffer only while there is something in it ----

    public async Task ReadConnectionAsync(NetConnection connection, BufferPool pool)
    {
        using (connection)
        {
            NetBuffer? buffer = null;
            int end = 0;
            int reads = 0;
            try
            {
                while (true)
                {
                    if (buffer is null)
                    {
                        await connection.WaitToReadAsync();
                        buffer = pool.Rent(64 * 1024);
                        end = 0;
                    }
                    if (connection.TryRead(buffer.Span[end..], out int n))
                    {
                        if (n == 0)
                            return;
                        end = TakeAll(buffer.Span[..(end + n)]);
                        if (++reads % ReadsBeforeYield == 0)
                            await Go.YieldAsync();
                    }
                    else if (end == 0)
                    {
                        buffer.Return();
                        buffer = null;
                    }
                    else
                    {
                        await connection.WaitToReadAsync();
                    }
                }
            }
            catch (IOException)
            {
                // The sender has gone.
            }
            finally
            {
                buffer?.Return();
            }
        }
    }

    // What is left of a frame that has not come to its end is moved to the front: how much that is.
    private int TakeAll(Span<byte> bytes)
    {
        Span<byte> rest = bytes;
        while (rest.Length >= HeaderLength && LengthOf(rest) is var length && rest.Length >= HeaderLength + length)
        {
            LookAt(rest.Slice(HeaderLength, length));
            rest = rest[(HeaderLength + length)..];
        }
        rest.CopyTo(bytes);
        return rest.Length;
    }

    // ---- What is done with a frame ----

    private static int LengthOf(ReadOnlySpan<byte> header)
    {
        int length = BinaryPrimitives.ReadInt32BigEndian(header);
        return length is >= 0 and <= MaxLength ? length : throw new InvalidDataException($"A frame of {length} bytes.");
    }

    private void LookAt(ReadOnlySpan<byte> frame)
    {
        ReadOnlySpan<Vector<byte>> vectors = MemoryMarshal.Cast<byte, Vector<byte>>(frame);
        Vector<byte> all = default;
        foreach (Vector<byte> vector in vectors)
            all += vector;
        _sum += Vector.Sum(all);
        _bytes += frame.Length + HeaderLength;
    }
}
