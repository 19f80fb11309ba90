using System.Runtime.CompilerServices;

namespace NetGo.Interleaving;

/// <summary>The stores of one thread that have not reached memory, oldest first. The thread itself sees them, also where it
/// reads plainly: while it has the turn its delayed stores are put into memory, and when it passes the turn on they are taken
/// out again. Their places are addresses: the objects are pinned (<see cref="Run.Share"/>).</summary>
internal sealed class StoreBuffer
{
    private readonly List<Store> _stores = [];

    public int Count => _stores.Count;

    /// <summary>Adds a store of the thread that has the turn.</summary>
    public void Add<T>(nint address, T value)
    {
        var store = new Store<T>(address, value);
        store.PutIn();
        _stores.Add(store);
    }

    public void PutIn()
    {
        for (int i = 0; i < _stores.Count; i++)
            _stores[i].PutIn();
    }

    public void TakeOut()
    {
        for (int i = _stores.Count - 1; i >= 0; i--)
            _stores[i].TakeOut();
    }

    /// <summary>Lets the oldest reach memory. They are taken out.</summary>
    public void FlushOldest()
    {
        _stores[0].PutIn();
        _stores.RemoveAt(0);
    }

    /// <summary>Forgets all: those that are put in have thereby reached memory.</summary>
    public void Clear() => _stores.Clear();

    private abstract class Store
    {
        public abstract void PutIn();

        public abstract void TakeOut();
    }

    private sealed class Store<T>(nint address, T value) : Store
    {
        private T? _before;

        private unsafe ref T Place => ref Unsafe.AsRef<T>((void*)address);

        public override void PutIn()
        {
            _before = Place;
            Place = value;
        }

        public override void TakeOut() => Place = _before!;
    }
}
