using System.Collections.Concurrent;
using System.Diagnostics;

namespace NetGo;

// What looks for misuse. That a buffer is returned twice, or used by its own members after its return, is found always. With
// PoisonReturned also that somebody wrote to it by a span or pointer he had kept; with TrackRented who has not returned one.
public sealed partial class BufferPool
{
    private const byte Poison = 0xDB;

    private readonly bool _poisons;
    private readonly ConcurrentDictionary<NetBuffer, StackTrace>? _rented;

    private void CheckRent(NetBuffer buffer)
    {
        if (buffer.IsPoisoned)
        {
            buffer.IsPoisoned = false;
            int at = buffer.Span.IndexOfAnyExcept(Poison);
            if (at >= 0)
            {
                throw new InvalidOperationException(
                    $"A buffer of {buffer.Length} bytes was written to after it had been returned, at byte {at}. It is not used any more.");
            }
        }
        if (_rented is not null)
            _rented[buffer] = new StackTrace(skipFrames: 2, fNeedFileInfo: true);
    }

    private void CheckReturn(NetBuffer buffer)
    {
        _rented?.TryRemove(buffer, out _);
        if (!_poisons || buffer.Slab.IsLarge)
            return;
        unsafe
        {
            new Span<byte>(buffer.Start, buffer.Length).Fill(Poison);
        }
        buffer.IsPoisoned = true;
    }

    /// <summary>The buffers that are rented now, with the places where that was done: those which nobody is going to return are leaks.</summary>
    /// <exception cref="InvalidOperationException">The pool was made without <see cref="BufferPoolOptions.TrackRented"/>.</exception>
    public IReadOnlyList<RentedBuffer> GetRented()
    {
        if (_rented is null)
            throw new InvalidOperationException("Set BufferPoolOptions.TrackRented, or NETGO_BUFFERS_TRACK=1 for the shared pool.");
        return [.. _rented.Select(static rented => new RentedBuffer(rented.Key.Length, rented.Value))];
    }
}
