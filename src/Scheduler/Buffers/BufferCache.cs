namespace NetGo;

/// <summary>A processor's own free buffers; Go's mcache. Only the machine that holds the processor may use it, pinned.</summary>
internal sealed class BufferCache
{
    private readonly FreeList[] _lists = new FreeList[BufferPool.ClassCount];

    private struct FreeList
    {
        public NetBuffer? First;
        public int Count;
    }

    public NetBuffer? TryTake(int sizeClass)
    {
        ref FreeList list = ref _lists[sizeClass];
        NetBuffer? buffer = list.First;
        if (buffer is null)
            return null;
        list.First = buffer.Next;
        list.Count--;
        buffer.Next = null;
        return buffer;
    }

    /// <summary>False when the cache holds enough of this class.</summary>
    public bool TryPut(NetBuffer buffer)
    {
        ref FreeList list = ref _lists[buffer.SizeClass];
        if (list.Count >= BufferPool.CachedPerProcessor(buffer.SizeClass))
            return false;
        buffer.Next = list.First;
        list.First = buffer;
        list.Count++;
        return true;
    }
}
