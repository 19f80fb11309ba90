namespace NetGo;

// A slab: a piece of 2 MiB of one node's memory, cut into buffers of one size; Go's mspan. (A buffer larger than the largest size has
// one for itself, as long as it needs to be.) Its states:
//
//   from      to        by
//   Released  Partial   SlabHeap, cut for a size class
//   Partial   Full      CentralList.Take, its last free buffer
//   Full      Partial   CentralList.Put
//   Partial   Idle      CentralList.Put, the last buffer that was away
//   Idle      Partial   CentralList.Take
//   Idle      Released  CentralList.ReleaseIdle: its pages go back to the system, its addresses stay
//
// All under the lock of the central list that has it, or, while Released, of its heap.
internal sealed unsafe class Slab(BufferPool pool, int node, byte* start, nuint size)
{
    public const int Size = 2 * 1024 * 1024;

    /// <summary>Of a slab that belongs to no heap.</summary>
    public const int NoNode = -1;

    private NetBuffer[] _buffers = [];
    private NetBuffer? _free;

    public BufferPool Pool => pool;

    /// <summary>The pool's number of the node whose memory it is; <see cref="NoNode"/> for one that holds a single large buffer.</summary>
    public int Node => node;

    public bool IsLarge => node == NoNode;

    public byte* Start => start;

    /// <summary>In bytes.</summary>
    public nuint ByteCount => size;

    public int SizeClass { get; private set; }

    /// <summary>How many buffers it is cut into.</summary>
    public int Total => _buffers.Length;

    /// <summary>How many of them are on its free list.</summary>
    public int FreeCount { get; private set; }

    /// <summary>Its neighbours on the list that it is on.</summary>
    public Slab? Next;
    public Slab? Previous;

    /// <summary>When it became Idle, in ms of <see cref="Environment.TickCount64"/>.</summary>
    public long IdleSince;

    /// <summary>Cuts it into the buffers of a class, all free.</summary>
    public void Cut(int sizeClass)
    {
        int length = BufferPool.SizeOfClass(sizeClass);
        if (_buffers.Length == 0 || SizeClass != sizeClass)
        {
            SizeClass = sizeClass;
            _buffers = new NetBuffer[(int)size / length];
            for (int i = 0; i < _buffers.Length; i++)
                _buffers[i] = new NetBuffer(this, start + (nint)i * length, length);
        }
        _free = null;
        for (int i = _buffers.Length - 1; i >= 0; i--)
        {
            _buffers[i].IsPoisoned = false;
            _buffers[i].Next = _free;
            _free = _buffers[i];
        }
        FreeCount = _buffers.Length;
    }

    public NetBuffer Take()
    {
        NetBuffer buffer = _free!;
        _free = buffer.Next;
        buffer.Next = null;
        FreeCount--;
        return buffer;
    }

    public void Put(NetBuffer buffer)
    {
        buffer.Next = _free;
        _free = buffer;
        FreeCount++;
    }
}
