using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace NetGo;

// A timer is in one of three states, and what says so is guarded by the lock of timer.Heap:
//
//   state     Heap   HeapIndex
//   new       null   -1          never started
//   pending   h      i >= 0      h._entries[i].Timer is the timer
//   off       h      -1          stopped, fired, or taken off by a RunDue that is about to fire it
//
//   from       to        by                                      under the lock of
//   new, off   pending   Start; Reset, which returns false       the heap that it goes to
//   pending    pending   Reset, which returns true               its heap
//   pending    pending   MoveAllTo                               its heap and the heap that it goes to
//   pending    off       Stop, which returns true; RunDue        its heap
//
// So each start ends in exactly one way: it is fired, or one Stop or Reset has returned true for it. A timer's user calls
// Start, Reset and Stop for it one at a time (under a lock of its own, say); RunDue and MoveAllTo may come in at any time.
//
// A pending timer changes heaps only in MoveAllTo, which holds both locks. Who wants a timer therefore locks the heap that
// it names, looks again whether it still names it, and goes after it if not: at no time is a pending timer seen as off.
// Only MoveAllTo holds two of these locks, the one of the lower processor first. Fire is called under none.
//
// A heap whose processor is taken out of service forwards: a start that found the heap before that goes to the other one. The
// heap that is forwarded to was itself in service then, so forwarding never runs in a circle.
//
// The order is by time, and among equal times by start: of one heap, that is. Timers that were moved keep their order among
// themselves and come before what is started later, but have none with equal ones that were there.

/// <summary>A processor's timers: a 4-ary min-heap by time (nanoseconds of the scheduler's clock), after Go's
/// <c>timers</c>. Any thread may start or stop a timer; the owner of the processor runs those that are due.</summary>
internal sealed class TimerHeap(Processor processor)
{
    private const int Arity = 4;
    private const int BatchSize = 16;

    private readonly Lock _lock = new();
    private Entry[] _entries = new Entry[16];
    private int _count;
    private long _nextWhen = long.MaxValue;
    private long _lastStart;
    private TimerHeap? _forwardsTo;

    private struct Entry
    {
        public long When;
        public RuntimeTimer Timer;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly bool IsBefore(in Entry other) =>
            When < other.When || (When == other.When && Timer.StartOrder < other.Timer.StartOrder);
    }

    /// <summary>When the first timer is due; <see cref="long.MaxValue"/> when there is none. Any thread, without the lock.</summary>
    public long NextWhen => Volatile.Read(ref _nextWhen);

    public int Count => Volatile.Read(ref _count);

    /// <summary>Puts a timer that is on no heap on this one.</summary>
    public void Start(RuntimeTimer timer, long when)
    {
        TimerHeap? forwardsTo;
        bool first = false;
        lock (_lock)
        {
            forwardsTo = _forwardsTo;
            if (forwardsTo is null)
            {
                Debug.Assert(timer.HeapIndex < 0);
                timer.StartOrder = ++_lastStart;
                Insert(new Entry { When = when, Timer = timer });
                first = timer.HeapIndex == 0;
                if (first)
                    NextChanged();
            }
        }
        if (forwardsTo is not null)
            forwardsTo.Start(timer, when);
        else if (first)
            processor.TimerMovedUp(when);
    }

    /// <summary>Takes a timer off, whichever heap it is on. False when it is on none: it has fired, or is about to, or was not
    /// started.</summary>
    public bool Stop(RuntimeTimer timer)
    {
        for (TimerHeap? heap = this; heap is not null; heap = timer.Heap)
        {
            lock (heap._lock)
            {
                if (timer.Heap != heap)
                    continue;
                if (timer.HeapIndex < 0)
                    return false;
                heap.RemoveAt(timer.HeapIndex);
                heap.NextChanged();
                return true;
            }
        }
        return false;
    }

    /// <summary>Gives a timer a new time: in its place when it is pending, on whichever heap; else it is started on this
    /// one.</summary>
    /// <returns>Whether it was pending: false when the time that it had has fired, or is about to, as well.</returns>
    public bool Reset(RuntimeTimer timer, long when)
    {
        for (TimerHeap? heap = timer.Heap; heap is not null; heap = timer.Heap)
        {
            bool movedUp;
            lock (heap._lock)
            {
                if (timer.Heap != heap)
                    continue;
                if (timer.HeapIndex < 0)
                    break;
                movedUp = heap.Move(timer, when);
            }
            if (movedUp)
                heap.MovedUp(when);
            return true;
        }
        Start(timer, when);
        return false;
    }

    /// <summary>Moves all timers to another heap, and what will be started here as well, until <see cref="StopForwarding"/>: the
    /// processor goes out of service, or cannot see to its timers. The caller changes one heap at a time.</summary>
    /// <param name="other">Of a processor that is in service.</param>
    /// <exception cref="InvalidOperationException"><paramref name="other"/> forwards its timers itself.</exception>
    public void MoveAllTo(TimerHeap other)
    {
        bool thisFirst = Index < other.Index;
        long first;
        bool movedUp;
        lock (thisFirst ? _lock : other._lock)
        {
            lock (thisFirst ? other._lock : _lock)
            {
                if (other == this || other._forwardsTo is not null)
                    throw new InvalidOperationException("Timers can only be moved to the heap of another processor that is in service.");
                _forwardsTo = other;
                first = _nextWhen;
                movedUp = first < other._nextWhen;
                other._lastStart = Math.Max(other._lastStart, _lastStart);
                for (int i = 0; i < _count; i++)
                    other.Insert(_entries[i]);
                _entries = new Entry[16];
                _count = 0;
                NextChanged();
                other.NextChanged();
            }
        }
        if (movedUp)
            other.MovedUp(first);
    }

    /// <summary>The processor is in service again: what is started here from now on stays here. What was moved does not come
    /// back.</summary>
    public void StopForwarding()
    {
        lock (_lock)
            _forwardsTo = null;
    }

    /// <summary>Runs all timers due at <paramref name="now"/>, in order of their times. Owner of the processor only.</summary>
    public int RunDue(long now) => NextWhen <= now ? RunBatches(now) : 0;

    // Several under one hold of the lock. Those of a batch can no more be stopped: they are about to fire.
    private int RunBatches(long now)
    {
        int fired = 0;
        Batch batch = default;
        do
        {
            int count = TakeDue(now, batch);
            for (int i = 0; i < count; i++)
                batch[i]!.Fire(now);
            fired += count;
        }
        while (NextWhen <= now);
        return fired;
    }

    [InlineArray(BatchSize)]
    private struct Batch
    {
        private RuntimeTimer? _first;
    }

    private int TakeDue(long now, Span<RuntimeTimer?> batch)
    {
        int count = 0;
        lock (_lock)
        {
            while (count < batch.Length && _count > 0 && _entries[0].When <= now)
            {
                batch[count++] = _entries[0].Timer;
                RemoveAt(0);
            }
            NextChanged();
        }
        return count;
    }

    private int Index => processor.Index;

    private void MovedUp(long when) => processor.TimerMovedUp(when);

    // ---- Under the lock ----

    private void NextChanged() => Volatile.Write(ref _nextWhen, _count == 0 ? long.MaxValue : _entries[0].When);

    private void Insert(Entry entry)
    {
        entry.Timer.Heap = this;
        if (_count == _entries.Length)
            Array.Resize(ref _entries, _count * 2);
        SiftUp(_count++, entry);
    }

    private void RemoveAt(int index)
    {
        _entries[index].Timer.HeapIndex = -1;
        Entry last = _entries[--_count];
        _entries[_count] = default;
        if (index < _count)
            Sift(index, last);
    }

    // True when the heap's first time is now this one, and earlier than it was.
    private bool Move(RuntimeTimer timer, long when)
    {
        int index = timer.HeapIndex;
        Debug.Assert(_entries[index].Timer == timer);
        long firstBefore = _nextWhen;
        timer.StartOrder = ++_lastStart;
        Sift(index, new Entry { When = when, Timer = timer });
        NextChanged();
        return when < firstBefore;
    }

    private void Sift(int index, Entry entry)
    {
        if (index > 0 && entry.IsBefore(_entries[(index - 1) / Arity]))
            SiftUp(index, entry);
        else
            SiftDown(index, entry);
    }

    private void SiftUp(int index, Entry entry)
    {
        while (index > 0)
        {
            int parent = (index - 1) / Arity;
            if (!entry.IsBefore(_entries[parent]))
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
                if (_entries[i].IsBefore(_entries[least]))
                    least = i;
            }
            if (!_entries[least].IsBefore(entry))
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
