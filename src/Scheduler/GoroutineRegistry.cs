namespace NetGo;

// All Goroutine objects of a scheduler, those on free lists included; Go's allgs.
//
// An object is added when it is made and dropped when it goes to the garbage collector, so a goroutine that has its object from a free
// list costs nothing here. The list is linked through the objects, and so takes 8 bytes of each.
//
//   who               does                                             under
//   Add               puts one in front                                the shard's lock
//   Drop              marks one: RegistryShard is Dropped               the shard's lock
//   Sweep, in both    looks at the next few and unlinks the marked      the shard's lock
//   All               follows the links                                nothing
//
// A link is changed only when the object after it is unlinked, and the unlinked one keeps its own: who stands on it still comes to all
// that follow. It is never linked again.
//
// The marked stay on the list, and so in memory, until the sweep comes by them. Each change sweeps several, so they are never many more
// than a part of the objects in use.
internal sealed class GoroutineRegistry
{
    private const int ShardCount = 16;
    private const byte Dropped = byte.MaxValue;
    private const int SweptPerChange = 4;
    private const int DroppedWorthASweep = 32;

    private readonly Shard[] _shards = new Shard[ShardCount];

    public GoroutineRegistry()
    {
        for (int i = 0; i < _shards.Length; i++)
            _shards[i] = new Shard();
    }

    /// <summary>Puts a new one on the list.</summary>
    /// <param name="g">The object.</param>
    /// <param name="place">Any number; callers with different ones do not wait for each other.</param>
    public void Add(Goroutine g, int place)
    {
        int index = place & (ShardCount - 1);
        Shard shard = _shards[index];
        lock (shard.Lock)
        {
            g.RegistryShard = (byte)index;
            g.RegistryLink = shard.First;
            Volatile.Write(ref shard.First, g);
            shard.Sweep();
        }
    }

    /// <summary>It will not be used again by the scheduler.</summary>
    public void Drop(Goroutine g)
    {
        Shard shard = _shards[g.RegistryShard];
        lock (shard.Lock)
        {
            g.RegistryShard = Dropped;
            shard.Marked++;
            shard.Sweep();
        }
    }

    /// <summary>All that there are, while others run, end and are added: those that are there throughout are among them.</summary>
    public IEnumerable<Goroutine> All()
    {
        foreach (Shard shard in _shards)
        {
            for (Goroutine? g = Volatile.Read(ref shard.First); g is not null; g = Volatile.Read(ref g.RegistryLink))
                yield return g;
        }
    }

    private sealed class Shard
    {
        public readonly Lock Lock = new();
        public Goroutine? First;
        public int Marked;

        // The last one that the sweep has left on the list; null when it begins anew.
        private Goroutine? _swept;

        public void Sweep()
        {
            if (Marked < DroppedWorthASweep)
                return;
            for (int i = 0; i < SweptPerChange; i++)
            {
                Goroutine? g = _swept is null ? First : _swept.RegistryLink;
                if (g is null || g.RegistryShard != Dropped)
                {
                    _swept = g;
                    continue;
                }
                if (_swept is null)
                    Volatile.Write(ref First, g.RegistryLink);
                else
                    Volatile.Write(ref _swept.RegistryLink, g.RegistryLink);
                Marked--;
            }
        }
    }
}
