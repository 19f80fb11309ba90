namespace NetGo;

/// <summary>A processor's timers: a 4-ary min-heap by time (nanoseconds of the scheduler's clock), after Go's
/// <c>timers</c>. Any thread may start or stop a timer; the owner of the processor runs those that are due.</summary>
internal sealed class TimerHeap(Processor processor)
{
    private const int Arity = 4;

    private readonly Lock _lock = new();
    private Entry[] _entries = new Entry[16];
    private int _count;
    private long _nextWhen = long.MaxValue;

    private TimerHeap? _target;

    public void MoveAllTo(TimerHeap other)
    {
        _target = other;
        lock (_lock)
        {
            while (_count > 0)
            {
                Entry e = _entries[0];
                RemoveAt(0);
                other.Start(e.Timer, e.When);
            }
        }
    }

    public void StopForwarding() => _target = null;

    private struct Entry
    {
        public long When;
        public RuntimeTimer Timer;
    }

    /// <summary>When the first timer is due; <see cref="long.MaxValue"/> when there is none. Any thread, without the lock.</summary>
    public long NextWhen => Volatile.Read(ref _nextWhen);

    public int Count => Volatile.Read(ref _count);

    /// <summary>Puts a timer that is on no heap on this one.</summary>
    public void Start(RuntimeTimer timer, long when)
    {
        if (Volatile.Read(ref _target) is { } target)
        {
            target.Start(timer, when);
            return;
        }
        bool first;
        lock (_lock)
        {
            timer.Heap = this;
            if (_count == _entries.Length)
                Array.Resize(ref _entries, _count * 2);
            SiftUp(_count++, new Entry { When = when, Timer = timer });
            first = timer.HeapIndex == 0;
            if (first)
                Volatile.Write(ref _nextWhen, when);
        }
        if (first)
            processor.TimerMovedUp(when);
    }

    /// <summary>Takes a timer off. False when it was not on the heap: it has fired, or is about to.</summary>
    public bool Stop(RuntimeTimer timer)
    {
        lock (_lock)
        {
            if (timer.HeapIndex < 0)
                return false;
            RemoveAt(timer.HeapIndex);
            return true;
        }
    }

    /// <summary>Runs all timers due at <paramref name="now"/>, in order of their times. Owner of the processor only.</summary>
    public void RunDue(long now)
    {
        while (NextWhen <= now)
        {
            RuntimeTimer timer;
            lock (_lock)
            {
                if (_count == 0 || _entries[0].When > now)
                    return;
                timer = _entries[0].Timer;
                RemoveAt(0);
            }
            timer.Fire(now);
        }
    }

    private void RemoveAt(int index)
    {
        _entries[index].Timer.HeapIndex = -1;
        Entry last = _entries[--_count];
        _entries[_count] = default;
        if (index < _count)
        {
            if (index > 0 && last.When < _entries[(index - 1) / Arity].When)
                SiftUp(index, last);
            else
                SiftDown(index, last);
        }
        Volatile.Write(ref _nextWhen, _count == 0 ? long.MaxValue : _entries[0].When);
    }

    private void SiftUp(int index, Entry entry)
    {
        while (index > 0)
        {
            int parent = (index - 1) / Arity;
            if (_entries[parent].When <= entry.When)
                break;
            Place(index, _entries[parent]);
            index = parent;
        }
        Place(index, entry);
    }

    private void SiftDown(int index, Entry entry)
    {
        while (true)
        {
            int child = index * Arity + 1;
            if (child >= _count)
                break;
            int end = Math.Min(child + Arity, _count);
            int least = child;
            for (int i = child + 1; i < end; i++)
            {
                if (_entries[i].When < _entries[least].When)
                    least = i;
            }
            if (_entries[least].When >= entry.When)
                break;
            Place(index, _entries[least]);
            index = least;
        }
        Place(index, entry);
    }

    private void Place(int index, Entry entry)
    {
        _entries[index] = entry;
        entry.Timer.HeapIndex = index;
    }
}
