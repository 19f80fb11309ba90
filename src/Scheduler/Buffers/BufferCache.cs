using System.Runtime.CompilerServices;

namespace NetGo;

// A processor's own free buffers; Go's mcache. Whoever holds the processor, pinned, uses it without a lock or an atomic operation: to
// rent is to take from a stack, to return is to put on one. An empty stack is filled to half from the central list of the
// processor's node, a full one emptied to half, so that one who only rents and one who only returns come by there once in a batch.
//
// A buffer of another node does not stay: it is collected for its home, and goes there with a batch of its kind.
//
// FlushWanted, which any thread sets, is seen by the owner before it goes to sleep, and now and then while it does not.

/// <summary>A processor's own free buffers.</summary>
internal sealed class BufferCache
{
    private readonly BufferPool _pool;
    private readonly Action _wake;
    private readonly Stack[] _local = new Stack[BufferPool.ClassCount];
    private readonly Stack[]?[] _remote;
    private volatile bool _flushWanted;
    private bool _isEmpty = true;

    /// <summary>For a processor that belongs to a node.</summary>
    /// <param name="pool">Where its buffers come from.</param>
    /// <param name="node">The pool's number of the node.</param>
    /// <param name="wake">Wakes the processor's machine if it is asleep.</param>
    public BufferCache(BufferPool pool, int node, Action wake)
    {
        _pool = pool;
        _wake = wake;
        Node = node;
        for (int c = 0; c < BufferPool.ClassCount; c++)
            _local[c].Items = new NetBuffer?[BufferPool.CachedOfClass(c)];
        _remote = new Stack[]?[pool.NodeCount];
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

    /// <summary>Owner. Null when it has none of a class.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public NetBuffer? TryTake(int sizeClass)
    {
        ref Stack stack = ref _local[sizeClass];
        int last = stack.Count - 1;
        NetBuffer?[] items = stack.Items;
        if ((uint)last >= (uint)items.Length)
            return null;
        stack.Count = last;
        return items[last];
    }

    /// <summary>Owner. As <see cref="TryTake"/>, with a batch from the central list; null at the limit.</summary>
    public NetBuffer? Refill(int sizeClass, bool mayUseReserve)
    {
        ref Stack stack = ref _local[sizeClass];
        stack.Count = _pool.Central(Node, sizeClass).Take(stack.Items.AsSpan(0, stack.Items.Length / 2), mayUseReserve);
        if (stack.Count > 0 && _isEmpty)
            NoLongerEmpty();
        return TryTake(sizeClass);
    }

    /// <summary>Owner. Takes a buffer of this pool back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Put(NetBuffer buffer)
    {
        if (buffer.Slab.Node != Node)
        {
            PutRemote(buffer);
            return;
        }
        LocalReturns++;
        ref Stack stack = ref _local[buffer.Slab.SizeClass];
        int count = stack.Count;
        NetBuffer?[] items = stack.Items;
        if ((uint)count >= (uint)items.Length)
        {
            Spill(ref stack);
            count = stack.Count;
        }
        items[count] = buffer;
        stack.Count = count + 1;
        if (_isEmpty)
            NoLongerEmpty();
    }

    // The older half goes: what was returned last is what the processor's cache still has.
    private void Spill(ref Stack stack)
    {
        int half = stack.Items.Length / 2;
        CentralOf(stack.Items[0]!).Put(stack.Items.AsSpan(0, half));
        Array.Copy(stack.Items, half, stack.Items, 0, half);
        stack.Count = half;
    }

    private CentralList CentralOf(NetBuffer buffer) => _pool.Central(buffer.Slab.Node, buffer.Slab.SizeClass);

    private void PutRemote(NetBuffer buffer)
    {
        RemoteReturns++;
        int sizeClass = buffer.Slab.SizeClass;
        Stack[] ofNode = _remote[buffer.Slab.Node] ??= new Stack[BufferPool.ClassCount];
        ref Stack stack = ref ofNode[sizeClass];
        stack.Items ??= new NetBuffer?[BufferPool.CachedOfClass(sizeClass) / 2];
        stack.Items[stack.Count++] = buffer;
        if (_isEmpty)
            NoLongerEmpty();
        if (stack.Count == stack.Items.Length)
            Empty(ref stack);
    }

    private void Empty(ref Stack stack)
    {
        if (stack.Count == 0)
            return;
        CentralOf(stack.Items[0]!).Put(stack.Items.AsSpan(0, stack.Count));
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
        foreach (ref Stack stack in _local.AsSpan())
            Empty(ref stack);
        foreach (Stack[]? ofNode in _remote)
        {
            foreach (ref Stack stack in ofNode.AsSpan())
                Empty(ref stack);
        }
    }

    /// <summary>How many buffers of a class and a node it has, at some moment.</summary>
    public int Count(int node, int sizeClass) =>
        (node == Node ? _local[sizeClass].Count : 0) + (_remote[node] is { } ofNode ? ofNode[sizeClass].Count : 0);
}
