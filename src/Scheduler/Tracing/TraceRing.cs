using System.Runtime.CompilerServices;

namespace NetGo;

// The last events of a processor. One writes; any number read, each from a place of its own, without stopping the writer.
//
// The writer fills the slot of _written and then advances that (release). A reader copies the slots below _written (acquire) and then, behind a fence,
// reads it again: the slot of an entry i is overwritten from the moment on at which _written is i + capacity, so what is not above that is
// thrown away, and counted as lost.
internal sealed class TraceRing
{
    private readonly TraceRecord[] _records;
    private readonly object?[] _references;
    private readonly int _mask;
    private long _written;

    /// <param name="capacity">A power of two.</param>
    public TraceRing(int capacity)
    {
        _records = new TraceRecord[capacity];
        _references = new object?[capacity];
        _mask = capacity - 1;
    }

    public int Capacity => _mask + 1;

    /// <summary>How many have ever been written.</summary>
    public long Written => Volatile.Read(ref _written);

    /// <summary>The writer: the slot to be filled, before <see cref="Publish"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref TraceRecord Next(object? reference)
    {
        int slot = (int)_written & _mask;
        Volatile.WriteBarrier(); // who sees what follows sees the count above it
        _references[slot] = reference;
        return ref _records[slot];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Publish() => Volatile.Write(ref _written, _written + 1);

    /// <summary>Any thread: appends the entries from <paramref name="from"/> on whose time is at most <paramref name="until"/>, and advances
    /// that. Returns how many were overwritten before they could be read.</summary>
    public long Read(ref long from, long until, List<TraceEntry> entries)
    {
        long written = Volatile.Read(ref _written);
        long first = Math.Max(from, written - Capacity + 1);
        int begin = entries.Count;
        long next = first;
        for (; next < written; next++)
        {
            int slot = (int)next & _mask;
            entries.Add(new TraceEntry(_records[slot], _references[slot]));
        }
        Interlocked.MemoryBarrier();
        long overwritten = Math.Clamp(Volatile.Read(ref _written) - Capacity + 1 - first, 0, next - first);
        entries.RemoveRange(begin, (int)overwritten);
        // What is newer than asked for stays for the next time.
        int end = entries.Count;
        while (end > begin && entries[end - 1].Record.Time > until)
            end--;
        next -= entries.Count - end;
        entries.RemoveRange(end, entries.Count - end);
        long lost = first + overwritten - from;
        from = next;
        return Math.Max(0, lost);
    }
}
