namespace NetGo.Http;

// Sums that many threads add to at once, and that are read now and then. A thread adds to cells of its own, most often, so that the
// cores do not take a cache line from each other; a sum is over the cells of all. Another thread may have the same cells: hence the atomic
// addition.
internal sealed class StripedCounts
{
    private const int Stripes = 32;
    private const int CellsPerLine = 16; // two lines of 64 bytes: they are fetched in pairs

    private readonly int _stride;
    private readonly long[] _cells;

    /// <summary>So many sums.</summary>
    public StripedCounts(int count)
    {
        _stride = (count + CellsPerLine - 1) / CellsPerLine * CellsPerLine;
        _cells = new long[(Stripes * _stride) + CellsPerLine];
    }

    public void Add(int index, long value) =>
        Interlocked.Add(ref _cells[(Environment.CurrentManagedThreadId & (Stripes - 1)) * _stride + index], value);

    public long Sum(int index)
    {
        long sum = 0;
        for (int i = 0; i < Stripes; i++)
            sum += Volatile.Read(ref _cells[(i * _stride) + index]);
        return sum;
    }
}
