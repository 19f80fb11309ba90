namespace GrpcGreeter;

/// <summary>How many streams are open. Thread-safe.</summary>
internal sealed class StreamCounter
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Counts one until what is returned is disposed of.</summary>
    public IDisposable Open()
    {
        Interlocked.Increment(ref _count);
        return new Opened(this);
    }

    private sealed class Opened(StreamCounter counter) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref counter._count);
    }
}
