using System.Buffers.Binary;
using System.Numerics;

namespace NetGo.Http;

/// <summary>
/// A hash table from byte strings to objects that is looked up by span. It is filled by one thread and only read once it is
/// published. Its keys come from patterns, never from requests, so its hash needs to be quick, not hard to predict.
/// </summary>
internal sealed class LiteralTable<TValue>
    where TValue : class
{
    private Entry[] _entries = [];

    // 1-based index of the first entry of each bucket; the length is a power of two.
    private int[] _buckets = [0];

    public int Count { get; private set; }

    /// <summary>The length of the longest key, -1 if there is none.</summary>
    public int LongestKey { get; private set; } = -1;

    public TValue? Find(ReadOnlySpan<byte> key)
    {
        if (key.Length > LongestKey)
            return null;
        uint hash = Hash(key);
        int[] buckets = _buckets;
        for (int i = buckets[hash & (uint)(buckets.Length - 1)]; i != 0;)
        {
            ref readonly Entry entry = ref _entries[i - 1];
            if (entry.Hash == hash && key.SequenceEqual(entry.Key))
                return entry.Value;
            i = entry.Next;
        }

        return null;
    }

    /// <summary>Adds a key that is not in the table.</summary>
    public void Add(byte[] key, TValue value)
    {
        if (Count == _entries.Length)
            Grow();
        _entries[Count++] = new Entry { Key = key, Value = value, Hash = Hash(key) };
        Link(Count);
        LongestKey = Math.Max(LongestKey, key.Length);
    }

    private void Grow()
    {
        int capacity = Math.Max(4, Count * 2);
        Array.Resize(ref _entries, capacity);
        _buckets = new int[BitOperations.RoundUpToPowerOf2((uint)capacity * 2)];
        for (int i = 1; i <= Count; i++)
            Link(i);
    }

    private void Link(int index)
    {
        ref Entry entry = ref _entries[index - 1];
        ref int bucket = ref _buckets[entry.Hash & (uint)(_buckets.Length - 1)];
        entry.Next = bucket;
        bucket = index;
    }

    internal static uint Hash(ReadOnlySpan<byte> key)
    {
        ulong hash = (ulong)key.Length;
        if (key.Length < 8)
        {
            ulong word = 0;
            foreach (byte value in key)
                word = (word << 8) | value;
            return (uint)Mix(hash, word);
        }

        ReadOnlySpan<byte> left = key;
        for (; left.Length > 8; left = left[8..])
            hash = Mix(hash, BinaryPrimitives.ReadUInt64LittleEndian(left));
        return (uint)Mix(hash, BinaryPrimitives.ReadUInt64LittleEndian(key[^8..]));
    }

    private static ulong Mix(ulong hash, ulong word)
    {
        hash = (hash ^ word) * 0x9E3779B97F4A7C15;
        return hash ^ (hash >> 32);
    }

    private struct Entry
    {
        public byte[] Key;
        public TValue Value;
        public uint Hash;
        public int Next;
    }
}
