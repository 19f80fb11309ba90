namespace Resp;

// Keys and values, in shards by the key's hash, so that commands on different keys seldom wait for one another. A command on several keys, or one
// that reads and then writes, holds the shards of all its keys for as long as it takes (HoldKeys): it is atomic, as in Redis. Shards are taken in the order
// of their numbers, so two such commands never wait for each other in a circle. A lock may be taken again by who has it.
//
// A key whose time is over is not there: whoever comes upon it removes it, and RemoveExpired does so with those that nobody comes upon.
internal sealed class Store(TimeProvider clock)
{
    private const int ShardCount = 64; // one bit of a ulong each

    private readonly StoreShard[] _shards = CreateShards();

    private static StoreShard[] CreateShards()
    {
        var shards = new StoreShard[ShardCount];
        for (int i = 0; i < shards.Length; i++)
            shards[i] = new StoreShard();
        return shards;
    }

    // Other bits than those by which the dictionary chooses a bucket.
    private static int IndexOf(ReadOnlySpan<byte> key) => (int)((uint)ByteKeyComparer.Instance.GetHashCode(key) >> 26);

    private StoreShard ShardOf(ReadOnlySpan<byte> key) => _shards[IndexOf(key)];

    /// <summary>How many keys there are. Those are among them whose time is over and upon which nobody has come.</summary>
    public int Count
    {
        get
        {
            int count = 0;
            foreach (StoreShard shard in _shards)
            {
                lock (shard.Lock)
                    count += shard.Entries.Count;
            }
            return count;
        }
    }

    /// <summary>Null when there is none.</summary>
    public byte[]? Get(ReadOnlySpan<byte> key)
    {
        StoreShard shard = ShardOf(key);
        lock (shard.Lock)
            return TryGet(shard, key, out StoreEntry entry) ? entry.Value : null;
    }

    private bool TryGet(StoreShard shard, ReadOnlySpan<byte> key, out StoreEntry entry)
    {
        if (!shard.BySpan.TryGetValue(key, out entry))
            return false;
        if (entry.Expires is not { } end || clock.GetUtcNow() < end)
            return true;
        shard.BySpan.Remove(key);
        return false;
    }

    /// <summary>Sets a value, and with it for how long it lives: for ever when <paramref name="life"/> is null.</summary>
    /// <returns>False when the condition does not hold.</returns>
    public bool Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, SetCondition condition, TimeSpan? life)
    {
        var entry = new StoreEntry(value.ToArray(), life is { } time ? clock.GetUtcNow() + time : null);
        StoreShard shard = ShardOf(key);
        lock (shard.Lock)
        {
            if (condition != SetCondition.Always && TryGet(shard, key, out _) != (condition == SetCondition.IfPresent))
                return false;
            shard.Set(key, entry);
            return true;
        }
    }

    /// <summary>Sets a value, and leaves it as long to live as the last one had.</summary>
    public void Replace(ReadOnlySpan<byte> key, byte[] value)
    {
        StoreShard shard = ShardOf(key);
        lock (shard.Lock)
            shard.Set(key, new StoreEntry(value, TryGet(shard, key, out StoreEntry old) ? old.Expires : null));
    }

    /// <summary>False when there was none.</summary>
    public bool Remove(ReadOnlySpan<byte> key)
    {
        StoreShard shard = ShardOf(key);
        lock (shard.Lock)
            return TryGet(shard, key, out _) && shard.BySpan.Remove(key);
    }

    /// <summary>Sets for how long a key lives. Null for ever: false then when it did already.</summary>
    /// <returns>False when there is none.</returns>
    public bool Expire(ReadOnlySpan<byte> key, TimeSpan? life)
    {
        StoreShard shard = ShardOf(key);
        lock (shard.Lock)
        {
            if (!TryGet(shard, key, out StoreEntry entry) || (life is null && entry.Expires is null))
                return false;
            if (life <= TimeSpan.Zero)
                shard.BySpan.Remove(key);
            else
                shard.Set(key, entry with { Expires = life is { } time ? clock.GetUtcNow() + time : null });
            return true;
        }
    }

    /// <param name="key">Whose.</param>
    /// <param name="left">How long it has to live; null for ever.</param>
    /// <returns>False when there is none.</returns>
    public bool TryGetLifetime(ReadOnlySpan<byte> key, out TimeSpan? left)
    {
        StoreShard shard = ShardOf(key);
        lock (shard.Lock)
        {
            bool isThere = TryGet(shard, key, out StoreEntry entry);
            left = isThere && entry.Expires is { } end ? end - clock.GetUtcNow() : null;
            return isThere;
        }
    }

    /// <summary>The keys that match, shard by shard: what others do meanwhile may be seen in part.</summary>
    public List<byte[]> Keys(ReadOnlySpan<byte> pattern)
    {
        DateTimeOffset now = clock.GetUtcNow();
        var keys = new List<byte[]>();
        foreach (StoreShard shard in _shards)
        {
            lock (shard.Lock)
            {
                foreach ((byte[] key, StoreEntry entry) in shard.Entries)
                {
                    if (!(entry.Expires <= now) && GlobPattern.IsMatch(pattern, key))
                        keys.Add(key);
                }
            }
        }
        return keys;
    }

    /// <summary>Removes all keys at once.</summary>
    public void Clear()
    {
        using var hold = new Hold(this, ulong.MaxValue);
        foreach (StoreShard shard in _shards)
            shard.Entries.Clear();
    }

    /// <summary>Removes the keys whose time is over.</summary>
    public void RemoveExpired()
    {
        foreach (StoreShard shard in _shards)
        {
            lock (shard.Lock)
            {
                DateTimeOffset now = clock.GetUtcNow();
                foreach ((byte[] key, StoreEntry entry) in shard.Entries)
                {
                    if (entry.Expires <= now)
                        shard.Entries.Remove(key); // a dictionary allows it while it is gone through
                }
            }
        }
    }

    /// <summary>Keeps others from the keys that are arguments, until it is disposed of.</summary>
    /// <param name="arguments">A command's.</param>
    /// <param name="first">Which of them is the first key.</param>
    /// <param name="step">The next key is so many behind; <see cref="int.MaxValue"/> when there is only one.</param>
    public Hold HoldKeys(RespParser arguments, int first, int step)
    {
        ulong shards = 0;
        for (long i = first; i < arguments.Count; i += step)
            shards |= 1UL << IndexOf(arguments[(int)i]);
        return new Hold(this, shards);
    }

    /// <summary>The locks of some shards.</summary>
    internal readonly ref struct Hold
    {
        private readonly Store _store;
        private readonly ulong _held;

        public Hold(Store store, ulong shards)
        {
            _store = store;
            _held = shards;
            for (int i = 0; i < ShardCount; i++)
            {
                if ((shards & (1UL << i)) != 0)
                    store._shards[i].Lock.Enter();
            }
        }

        public void Dispose()
        {
            for (int i = 0; i < ShardCount; i++)
            {
                if ((_held & (1UL << i)) != 0)
                    _store._shards[i].Lock.Exit();
            }
        }
    }
}
