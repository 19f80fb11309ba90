namespace NetGo;

// Go's sync.Pool, with a bound in place of the garbage collector's help: Go drops what was not used between two collections, which
// would make the objects that a program gets depend on when the collector runs, also in a deterministic simulation. Here at most
// ShelfCapacity + 1 objects are kept per processor, and what is put beyond that is dropped.
//
// Each processor has a shelf: one place for the object that was put last, taken and filled by one exchange, and a stack under a
// lock, from which other processors take when theirs is empty. Threads that run no goroutine, or whose processor was handed off,
// share one more shelf. Processors of several schedulers, or more of them than cores, may share one too: which shelf is used is a
// matter of speed only, and no place relies on one thread using it.

/// <summary>Objects to be used again, instead of new ones; Go's sync.Pool. What is put may be dropped, and nothing is known about
/// which object <see cref="Get"/> returns. All members may be used from any thread, and none waits.</summary>
public sealed class Pool<T>
    where T : class
{
    private const int ShelfCapacity = 64;

    private readonly Func<T> _make;
    private readonly Shelf[] _shelves;
    private readonly Shelf _elsewhere = new();

    /// <summary>Makes one that is empty.</summary>
    /// <param name="make">Makes an object when there is none; Go's Pool.New. Called on the thread that gets it, under no
    /// lock.</param>
    public Pool(Func<T> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        _make = make;
        _shelves = new Shelf[Environment.ProcessorCount];
        for (int i = 0; i < _shelves.Length; i++)
            _shelves[i] = new Shelf();
    }

    /// <summary>An object that was put before, or a new one. It is the caller's alone.</summary>
    public T Get()
    {
        Shelf own = ShelfOfThisThread();
        return own.TakeLast() ?? own.TryPop() ?? TakeFromOthers(own) ?? _make();
    }

    /// <summary>Gives an object to whoever gets one later. The caller must not use it any more.</summary>
    /// <param name="item">The object, in a state in which it can be used again.</param>
    public void Put(T item)
    {
        ArgumentNullException.ThrowIfNull(item);
        Shelf own = ShelfOfThisThread();
        if (own.PutLast(item) is { } before)
            own.Push(before);
    }

    private T? TakeFromOthers(Shelf own)
    {
        foreach (Shelf shelf in _shelves)
        {
            if (shelf != own && shelf.TryPop() is { } item)
                return item;
        }
        return _elsewhere.TryPop();
    }

    private Shelf ShelfOfThisThread()
    {
        if (Machine.OfThisThread is not { } machine)
            return _elsewhere;
        Processor? processor = machine.Pin(out int previous);
        machine.Unpin(previous);
        return processor is null ? _elsewhere : _shelves[processor.Index % _shelves.Length];
    }

    // The array that each comes with also keeps two shelves off each other's cache lines.
    private sealed class Shelf
    {
        private T? _last;
        private SpinMutex _lock;
        private int _count;
        private readonly T?[] _items = new T?[ShelfCapacity];

        /// <summary>The object that was put last, if it is there still.</summary>
        public T? TakeLast() => Volatile.Read(ref _last) is null ? null : Interlocked.Exchange(ref _last, null);

        /// <summary>Puts an object in the place of the last; what was there is the caller's now.</summary>
        public T? PutLast(T item) => Interlocked.Exchange(ref _last, item);

        public T? TryPop()
        {
            if (Volatile.Read(ref _count) == 0)
                return null;
            T? item = null;
            _lock.Enter();
            if (_count > 0)
            {
                item = _items[--_count];
                _items[_count] = null;
            }
            _lock.Exit();
            return item;
        }

        /// <summary>Drops it when there is no room.</summary>
        public void Push(T item)
        {
            _lock.Enter();
            if (_count < ShelfCapacity)
                _items[_count++] = item;
            _lock.Exit();
        }
    }
}
