namespace Resp;

/// <summary>A part of the keys, under a lock of its own.</summary>
internal sealed class StoreShard
{
    public StoreShard() => BySpan = Entries.GetAlternateLookup<ReadOnlySpan<byte>>();

    public Lock Lock { get; } = new();

    public Dictionary<byte[], StoreEntry> Entries { get; } = new(ByteKeyComparer.Instance);

    public Dictionary<byte[], StoreEntry>.AlternateLookup<ReadOnlySpan<byte>> BySpan { get; }

    public void Set(ReadOnlySpan<byte> key, StoreEntry entry)
    {
        Dictionary<byte[], StoreEntry>.AlternateLookup<ReadOnlySpan<byte>> entries = BySpan; // a value: only of a variable it can be set
        entries[key] = entry;
    }
}
