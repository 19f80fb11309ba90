namespace NetGo.Netpoll;

/// <summary>All <see cref="PollDesc"/> of the process, found by index; Go's pollCache. They are reused and never freed, so a
/// stale event always finds an object, and tells by the sequence that it is stale.</summary>
internal static class PollDescTable
{
    private const int ChunkBits = 9;
    private const int ChunkSize = 1 << ChunkBits;

    private static readonly Lock s_lock = new();
    private static PollDesc[][] s_chunks = [];
    private static PollDesc? s_free;
    private static int s_inUse;

    /// <summary>How many are rented, or wait in limbo.</summary>
    public static int InUse => Volatile.Read(ref s_inUse);

    public static PollDesc Rent(GoScheduler scheduler)
    {
        PollDesc desc;
        lock (s_lock)
        {
            if (s_free is null)
                Grow();
            desc = s_free!;
            s_free = desc.FreeLink;
            desc.FreeLink = null;
            s_inUse++;
        }
        desc.Open(scheduler);
        return desc;
    }

    /// <summary>Takes one back of which no event can come: its descriptor was never registered.</summary>
    public static void Return(PollDesc desc)
    {
        desc.Retire();
        ReturnRetired(desc);
    }

    /// <summary>Takes one back of which no event can come any more, after <see cref="PollDesc.Retire"/>.</summary>
    public static void ReturnRetired(PollDesc desc)
    {
        lock (s_lock)
        {
            desc.FreeLink = s_free;
            s_free = desc;
            s_inUse--;
        }
    }

    /// <summary>The one with this index, without a lock: an index comes from an event, so its chunk has been published.</summary>
    public static PollDesc Get(uint index) => Volatile.Read(ref s_chunks)[index >> ChunkBits][index & (ChunkSize - 1)];

    private static void Grow()
    {
        PollDesc[] chunk = new PollDesc[ChunkSize];
        uint first = (uint)s_chunks.Length * ChunkSize;
        for (int i = ChunkSize - 1; i >= 0; i--)
        {
            chunk[i] = new PollDesc(first + (uint)i) { FreeLink = s_free };
            s_free = chunk[i];
        }
        Volatile.Write(ref s_chunks, [.. s_chunks, chunk]);
    }
}
