using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace NetGo;

// Where a buffer comes from, in this order:
//
//   BufferCache   of the processor that the goroutine runs on: no lock
//   CentralList   of the class and the processor's node, in a batch, under a lock
//   SlabHeap      of the node: a slab whose pages had been given back, or a new one
//   reclaiming    at the limit (BufferPool.Limit.cs): idle slabs of other classes and nodes go, free buffers of other nodes are taken
//   the reserve   for Rent alone: a node of its own, numbered after the others, with slabs that lie anywhere
//
// A thread that runs no goroutine begins at the second. A buffer goes the way back: to the cache of the processor it is returned on,
// from a full one to the central list of its own node; a slab that is wholly there for a while goes back to the
// system (BufferPool.Scavenger.cs).

/// <summary>Network buffers of 4, 16 and 64 KiB, and larger ones, in native memory: a cache for each processor of the scheduler, lists for each
/// memory node of the machine, and slabs of 2 MiB that go back to the system when they are not in use; after Go's mcache, mcentral and
/// mheap. All members may be used from any thread; goroutines rent and return without a lock.</summary>
public sealed partial class BufferPool : IDisposable
{
    internal const int ClassCount = 3;
    internal const int SmallSize = 4 * 1024;
    internal const int MediumSize = 16 * 1024;
    internal const int LargeSize = 64 * 1024;

    private static readonly Lazy<BufferPool> s_shared = new(static () => new BufferPool(new BufferPoolOptions()));

    private readonly SlabHeap[] _heaps;
    private readonly CentralList[] _central;
    private readonly List<BufferCache> _caches = [];
    private readonly bool _checksRents;
    private volatile bool _disposed;

    /// <summary>Makes a pool. It has no memory until something is rented.</summary>
    /// <param name="options">Read now, and not again.</param>
    /// <exception cref="ArgumentOutOfRangeException">One of the options is out of its range.</exception>
    public BufferPool(BufferPoolOptions options)
        : this(options, NumaTopology.Current)
    {
    }

    internal BufferPool(BufferPoolOptions options, NumaTopology topology)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Topology = topology;
        _maxBytes = options.MaxBytes;
        _maxBytesForReading = options.MaxBytes - (long)(options.MaxBytes * (options.ReservePercent / 100.0));
        UsesHugePages = options.UseHugePages;
        _poisons = options.PoisonReturned;
        _rented = options.TrackRented ? new() : null;
        _checksRents = _poisons || _rented is not null;
        _releaseAfter = options.ReleaseAfter;
        _collects = options.CollectAfterBurst;
        _scavengeTimer = new Timer(static pool => ((BufferPool)pool!).Scavenge(), this, Timeout.Infinite, Timeout.Infinite);
        _heaps = new SlabHeap[topology.NodeCount + 1];
        _central = new CentralList[_heaps.Length * ClassCount];
        for (int node = 0; node < _heaps.Length; node++)
        {
            bool isReserve = node == ReserveNode;
            _heaps[node] = new SlabHeap(this, node, isReserve || topology.NodeCount == 1 ? -1 : topology.SystemNode(node), isReserve);
            for (int c = 0; c < ClassCount; c++)
                _central[node * ClassCount + c] = new CentralList(this, _heaps[node], c);
        }
    }

    /// <summary>The one that is used where no other is named: by schedulers (<see cref="SchedulerOptions.Buffers"/>), and so by
    /// connections and servers.</summary>
    public static BufferPool Shared => s_shared.Value;

    internal bool IsShared => s_shared.IsValueCreated && s_shared.Value == this;

    /// <summary>It as a <see cref="MemoryPool{T}"/>. Disposing of that does nothing.</summary>
    public MemoryPool<byte> MemoryPool => field ??= new BufferMemoryPool(this);

    /// <summary>By which the pool's nodes, and those of its caches, are numbered.</summary>
    internal NumaTopology Topology { get; }

    internal bool UsesHugePages { get; }

    internal bool IsDisposed => _disposed;

    /// <summary>Without the reserve.</summary>
    internal int NodeCount => Topology.NodeCount;

    /// <summary>The number of the node that is the reserve.</summary>
    internal int ReserveNode => _heaps.Length - 1;

    internal static int SizeOfClass(int sizeClass) => SmallSize << (2 * sizeClass);

    /// <summary>How many buffers of a class a processor may keep: 256 KiB, 512 KiB and 1 MiB of them.</summary>
    internal static int CachedOfClass(int sizeClass) => 64 >> sizeClass;

    // ClassCount for a large one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int ClassFor(int minimum)
    {
        if ((uint)minimum <= SmallSize)
            return 0;
        if ((uint)minimum <= MediumSize)
            return 1;
        return (uint)minimum <= LargeSize ? 2 : ClassCount;
    }

    internal CentralList Central(int node, int sizeClass) => _central[node * ClassCount + sizeClass];

    // ---- Renting ----

    /// <summary>A buffer. Its content is undefined.</summary>
    /// <param name="minimum">How many bytes are needed. Up to 64 KiB it is 4, 16 or 64 KiB; a larger one is mapped for
    /// this call, and unmapped when it is returned.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="minimum"/> is negative.</exception>
    /// <exception cref="ObjectDisposedException">The pool has been disposed.</exception>
    /// <exception cref="InsufficientMemoryException">The pool is at its limit, <see cref="BufferPoolOptions.MaxBytes"/>, or the system
    /// has no memory.</exception>
    public NetBuffer Rent(int minimum) => TryRentFast(minimum) ?? RentSlow(minimum);

    /// <summary>As <see cref="Rent"/>, for what can as well be done later: null when only the reserve is left
    /// (<see cref="BufferPoolOptions.ReservePercent"/>).</summary>
    /// <inheritdoc cref="Rent" path="/param"/>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="minimum"/> is negative.</exception>
    public NetBuffer? TryRent(int minimum) => TryRentFast(minimum) ?? TryRentSlow(minimum, mayUseReserve: false);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private NetBuffer? TryRentFast(int minimum)
    {
        int sizeClass = ClassFor(minimum);
        if (sizeClass == ClassCount || _disposed || Machine.OfThisThread is not { } machine)
            return null;
        NetBuffer? buffer = null;
        if (machine.PinBuffers(out int previous) is { } cache && cache.Pool == this)
            buffer = cache.TryTake(sizeClass);
        machine.Unpin(previous);
        if (buffer is not null)
            Begin(buffer);
        return buffer;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Begin(NetBuffer buffer)
    {
        buffer.IsRented = true;
        if (_checksRents)
            CheckRent(buffer);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private NetBuffer RentSlow(int minimum) =>
        TryRentSlow(minimum, mayUseReserve: true) ?? throw new InsufficientMemoryException(
            $"There is no memory for a buffer of {minimum} bytes: the pool has {CommittedBytes} of at most {_maxBytes} bytes.");

    [MethodImpl(MethodImplOptions.NoInlining)]
    private NetBuffer? TryRentSlow(int minimum, bool mayUseReserve)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(minimum);
        ObjectDisposedException.ThrowIf(_disposed, this);
        int sizeClass = ClassFor(minimum);
        NetBuffer? buffer = TryTake(minimum, sizeClass, mayUseReserve);
        if (buffer is null)
        {
            Reclaim();
            buffer = TryTake(minimum, sizeClass, mayUseReserve);
        }
        if (buffer is null && mayUseReserve && sizeClass < ClassCount)
            Central(ReserveNode, sizeClass).Take(new Span<NetBuffer?>(ref buffer));
        if (buffer is not null)
            Begin(buffer);
        return buffer;
    }

    private NetBuffer? TryTake(int minimum, int sizeClass, bool mayUseReserve)
    {
        if (sizeClass == ClassCount)
            return TryMapLarge(minimum, mayUseReserve);
        int? own = null;
        if (Machine.OfThisThread is { } machine)
        {
            NetBuffer? buffer = null;
            if (machine.PinBuffers(out int previous) is { } cache && cache.Pool == this)
            {
                own = cache.Node;
                if (Volatile.Read(ref _waiting) == 0)
                    buffer = cache.Refill(sizeClass);
            }
            machine.Unpin(previous);
            if (buffer is not null)
                return buffer;
        }
        // Where the thread has no processor, has lost it, or has one with another pool's cache, it is near to where it runs.
        int node = own ?? (NodeCount == 1 ? 0 : Topology.NodeOfCpu(Thread.GetCurrentProcessorId()));
        NetBuffer? one = null;
        if (Central(node, sizeClass).Take(new Span<NetBuffer?>(ref one)) > 0)
            return one;
        for (int other = 0; other < NodeCount; other++)
        {
            if (other != node && Central(other, sizeClass).TakeFree(new Span<NetBuffer?>(ref one)) > 0)
                return one;
        }
        return null;
    }

    private unsafe NetBuffer? TryMapLarge(int minimum, bool mayUseReserve)
    {
        if (MappedSize(minimum) is not { } size || !TryCommit(size, mayUseReserve))
            return null;
        byte* start = PageMemory.TryMap((nuint)size, SmallSize, systemNode: -1, hugePages: false);
        if (start is null)
        {
            Uncommit(size);
            return null;
        }
        Interlocked.Add(ref _largeBytes, size);
        return new NetBuffer(new Slab(this, Slab.NoNode, start, (nuint)size), start, size);
    }

    // In whole pages; null when that is more than a span can have.
    private static int? MappedSize(int minimum)
    {
        long size = ((long)minimum + SmallSize - 1) & ~(SmallSize - 1L);
        return size <= int.MaxValue ? (int)size : null;
    }

    // ---- Returning ----

    /// <summary>Takes a buffer back, which its holder must not use any more.</summary>
    /// <param name="buffer">Of this pool.</param>
    /// <exception cref="ArgumentException">It is another pool's.</exception>
    /// <exception cref="InvalidOperationException">It has been returned already, and not rented again.</exception>
    public void Return(NetBuffer buffer)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        if (buffer.Slab.Pool != this)
            throw new ArgumentException("The buffer is another pool's.", nameof(buffer));
        if (!(_checksRents ? buffer.EndRent() : buffer.IsRented))
            throw new InvalidOperationException("A buffer was returned twice.");
        buffer.IsRented = false;
        if (_checksRents)
            CheckReturn(buffer);
        if (Machine.OfThisThread is { } machine && !buffer.Slab.IsLarge && Volatile.Read(ref _waiting) == 0 && !_disposed)
        {
            bool taken = false;
            if (machine.PinBuffers(out int previous) is { } cache && cache.Pool == this)
            {
                cache.Put(buffer);
                taken = true;
            }
            machine.Unpin(previous);
            if (taken)
                return;
        }
        ReturnSlow(buffer);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private unsafe void ReturnSlow(NetBuffer buffer)
    {
        Slab slab = buffer.Slab;
        if (!slab.IsLarge)
        {
            NetBuffer? one = buffer;
            Central(slab.Node, slab.SizeClass).Put(new Span<NetBuffer?>(ref one));
            return;
        }
        PageMemory.Unmap(slab.Start, slab.ByteCount);
        Interlocked.Add(ref _largeBytes, -(long)slab.ByteCount);
        Uncommit((long)slab.ByteCount);
        MemoryCameBack();
    }

    // ---- The processors' caches ----

    /// <summary>A cache for a processor.</summary>
    /// <param name="processor">The processor's number.</param>
    /// <param name="wake">Wakes the processor, if it sleeps, to see <see cref="BufferCache.FlushWanted"/>.</param>
    internal BufferCache CreateCache(int processor, Action wake)
    {
        var cache = new BufferCache(this, Topology.NodeOfCpu(Topology.CpuOfProcessor(processor)), wake);
        lock (_caches)
            _caches.Add(cache);
        return cache;
    }

    /// <summary>Takes back what a processor has that nobody runs on any more.</summary>
    internal void RemoveCache(BufferCache cache)
    {
        cache.Flush();
        lock (_caches)
        {
            if (!_caches.Remove(cache))
                return;
            _formerLocalReturns += cache.LocalReturns;
            _formerRemoteReturns += cache.RemoteReturns;
        }
    }

    /// <summary>Gives back what is not used, and the rest as it is returned. Nothing can be rented any more, and who waits in
    /// <see cref="RentAsync"/> gets an <see cref="ObjectDisposedException"/>.</summary>
    /// <exception cref="InvalidOperationException">It is <see cref="Shared"/>.</exception>
    public void Dispose()
    {
        if (s_shared.IsValueCreated && this == Shared)
            throw new InvalidOperationException("The shared pool is everybody's.");
        _disposed = true;
        Interlocked.MemoryBarrier(); // a slab that becomes idle now is released by who sees this, or by us
        ReleaseUnused();
        foreach (SlabHeap heap in _heaps)
            heap.Unmap();
        Grant(AnyClass, int.MaxValue);
    }
}
