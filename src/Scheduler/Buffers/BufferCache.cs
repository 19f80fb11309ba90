using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace NetGo;

// A processor's own free buffers; Go's mcache. Whoever holds the processor, pinned, uses it without a lock or an atomic operation: to
// rent is to take from a stack, to return is to put on one. An empty stack is filled to half from the central list of the
// processor's node, a full one emptied to half, so that one who only rents and one who only returns come by there once in a batch.
//
// The stacks lie in the object itself, one after the other: each load that depends on another is a nanosecond here. What is taken from
// one is left where it was, and most often it is put back there, which then needs no write of a reference (and those are not
// free: the collector is told of them).
//
// A buffer of another node does not stay: it is collected for its home, and goes there with a batch of its kind. One of the reserve goes
// home at once.
//
// FlushWanted, which any thread sets, is seen by the owner before it goes to sleep, and now and then while it does not.

/// <summary>A processor's own free buffers.</summary>
internal sealed class BufferCache
{
    private const int TotalSlots = 112;

    private readonly BufferPool _pool;
    private readonly Action _wake;
    private readonly Stack[]?[] _remote;
    private volatile bool _flushWanted;
    private bool _isEmpty = true;
    private Counts _counts;
    private Slots _slots;

    /// <summary>For a processor that belongs to a node.</summary>
    /// <param name="pool">Where its buffers come from.</param>
    /// <param name="node">The pool's number of the node.</param>
    /// <param name="wake">Wakes the processor's machine if it is asleep.</param>
    public BufferCache(BufferPool pool, int node, Action wake)
    {
        _pool = pool;
        _wake = wake;
        Node = node;
        _remote = new Stack[]?[pool.NodeCount];
        Debug.Assert(FirstSlot(BufferPool.ClassCount - 1) + BufferPool.CachedOfClass(BufferPool.ClassCount - 1) == TotalSlots);
    }

    [InlineArray(BufferPool.ClassCount)]
    private struct Counts
    {
        private int _first;
    }

    [InlineArray(TotalSlots)]
    private struct Slots
    {
        private NetBuffer? _first;
    }

    private struct Stack
    {
        public NetBuffer?[] Items;
        public int Count;
    }

    public BufferPool Pool => _pool;

    /// <summary>The pool's number of the node that its processor belongs to.</summary>
    public int Node { get; }

    /// <summary>What it holds is wanted back.</summary>
    public bool FlushWanted => _flushWanted;

    // Owner. Read by others, for statistics, as they are at some moment.
    public long LocalReturns;
    public long RemoteReturns;

    // Half as many of each class as of the one before it.
    private static int FirstSlot(int sizeClass) => 2 * BufferPool.CachedOfClass(0) - 2 * BufferPool.CachedOfClass(sizeClass);

    private Span<NetBuffer?> SlotsOf(int sizeClass) =>
        ((Span<NetBuffer?>)_slots).Slice(FirstSlot(sizeClass), BufferPool.CachedOfClass(sizeClass));

    // Without the bounds' check: the class is one, and the place below its capacity.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref NetBuffer? Slot(int sizeClass, int place)
    {
        Debug.Assert(sizeClass is >= 0 and < BufferPool.ClassCount && place >= 0 && place < BufferPool.CachedOfClass(sizeClass));
        return ref Unsafe.Add(ref Unsafe.As<Slots, NetBuffer?>(ref _slots), FirstSlot(sizeClass) + place);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref int CountOf(int sizeClass)
    {
        Debug.Assert(sizeClass is >= 0 and < BufferPool.ClassCount);
        return ref Unsafe.Add(ref Unsafe.As<Counts, int>(ref _counts), sizeClass);
    }

    /// <summary>Owner. Null when it has none of a class.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public NetBuffer? TryTake(int sizeClass)
    {
        ref int count = ref CountOf(sizeClass);
        int last = count - 1;
        if (last < 0)
            return null;
        count = last;
        return Slot(sizeClass, last);
    }

    /// <summary>Owner. As <see cref="TryTake"/>, with a batch from the central list; null at the limit.</summary>
    public NetBuffer? Refill(int sizeClass)
    {
        Debug.Assert(CountOf(sizeClass) == 0);
        int half = BufferPool.CachedOfClass(sizeClass) / 2;
        CountOf(sizeClass) = _pool.Central(Node, sizeClass).Take(SlotsOf(sizeClass)[..half]);
        if (CountOf(sizeClass) > 0 && _isEmpty)
            NoLongerEmpty();
        return TryTake(sizeClass);
    }

    /// <summary>Owner. Takes a buffer of this pool back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(NetBuffer buffer)
    {
        Slab slab = buffer.Slab;
        int sizeClass = slab.SizeClass;
        ref int count = ref CountOf(sizeClass);
        if (slab.Node != Node || count == BufferPool.CachedOfClass(sizeClass) || _isEmpty)
            PutSlow(buffer, sizeClass);
        else
            Push(buffer, sizeClass, ref count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Push(NetBuffer buffer, int sizeClass, ref int count)
    {
        LocalReturns++;
        ref NetBuffer? slot = ref Slot(sizeClass, count);
        if (slot != buffer)
            slot = buffer;
        count++;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void PutSlow(NetBuffer buffer, int sizeClass)
    {
        if (buffer.Slab.Node == _pool.ReserveNode)
        {
            _pool.Central(_pool.ReserveNode, sizeClass).Put(new ReadOnlySpan<NetBuffer?>(ref buffer!));
            return;
        }
        if (_isEmpty)
            NoLongerEmpty();
        if (buffer.Slab.Node != Node)
        {
            PutRemote(buffer, sizeClass);
            return;
        }
        ref int count = ref CountOf(sizeClass);
        if (count == BufferPool.CachedOfClass(sizeClass))
            Spill(sizeClass);
        Push(buffer, sizeClass, ref count);
    }

    // The older half goes: what was returned last is what the processor's cache still has.
    private void Spill(int sizeClass)
    {
        Span<NetBuffer?> slots = SlotsOf(sizeClass);
        int half = slots.Length / 2;
        _pool.Central(Node, sizeClass).Put(slots[..half]);
        slots[half..].CopyTo(slots);
        CountOf(sizeClass) = half;
    }

    private void PutRemote(NetBuffer buffer, int sizeClass)
    {
        RemoteReturns++;
        int node = buffer.Slab.Node;
        Stack[] ofNode = _remote[node] ??= new Stack[BufferPool.ClassCount];
        ref Stack stack = ref ofNode[sizeClass];
        stack.Items ??= new NetBuffer?[BufferPool.CachedOfClass(sizeClass) / 2];
        stack.Items[stack.Count++] = buffer;
        if (stack.Count == stack.Items.Length)
            SendHome(ref stack, node, sizeClass);
    }

    private void SendHome(ref Stack stack, int node, int sizeClass)
    {
        if (stack.Count == 0)
            return;
        _pool.Central(node, sizeClass).Put(stack.Items.AsSpan(0, stack.Count));
        stack.Count = 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void NoLongerEmpty()
    {
        _isEmpty = false;
        _pool.ScheduleScavenging();
    }

    /// <summary>Any thread: has the owner flush it before long. False when it is empty and that is not needed.</summary>
    /// <param name="evenIfEmpty">Also when it seems to be: something may have been put there just now, unseen.</param>
    public bool AskForFlush(bool evenIfEmpty)
    {
        if (!evenIfEmpty && Volatile.Read(ref _isEmpty))
            return false;
        _flushWanted = true;
        Interlocked.MemoryBarrier(); // before it is asked whether the machine is asleep
        _wake();
        return true;
    }

    /// <summary>Owner, or whoever has taken the processor from it: gives all back to the central lists.</summary>
    public void Flush()
    {
        _flushWanted = false;
        if (_isEmpty)
            return;
        _isEmpty = true;
        for (int c = 0; c < BufferPool.ClassCount; c++)
        {
            ref int count = ref CountOf(c);
            if (count > 0)
                _pool.Central(Node, c).Put(SlotsOf(c)[..count]);
            count = 0;
        }
        for (int node = 0; node < _remote.Length; node++)
        {
            Span<Stack> ofNode = _remote[node];
            for (int c = 0; c < ofNode.Length; c++)
                SendHome(ref ofNode[c], node, c);
        }
    }

    /// <summary>How many buffers of a class and a node it has, at some moment.</summary>
    public int Count(int node, int sizeClass) =>
        (node == Node ? CountOf(sizeClass) : 0) + (_remote[node] is { } ofNode ? ofNode[sizeClass].Count : 0);
}
