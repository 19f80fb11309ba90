namespace NetGo;

/// <summary>Runs first whose deadline comes first (earliest deadline first). The deadline is what the goroutine has set by
/// <see cref="Go.SetDeadline(TimeSpan)"/>; without one, a target latency after it became runnable, so that nobody waits for ever.
/// For servers in which some requests are in a hurry and others are long. It costs a lock and a binary heap per switch.</summary>
public sealed class DeadlineFirstPolicy : SchedulingPolicy
{
    private readonly long _targetLatency;

    /// <summary>Makes one.</summary>
    /// <param name="targetLatency">How soon a goroutine without a deadline should run; 10 ms unless told. Longer prefers
    /// those with deadlines more.</param>
    /// <param name="timeSlice">See <see cref="SchedulingPolicy.TimeSlice"/>; 10 ms unless told.</param>
    /// <exception cref="ArgumentOutOfRangeException">One of them is not positive.</exception>
    public DeadlineFirstPolicy(TimeSpan? targetLatency = null, TimeSpan? timeSlice = null)
    {
        TimeSpan target = targetLatency ?? TimeSpan.FromMilliseconds(10);
        TimeSlice = timeSlice ?? base.TimeSlice;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(target, TimeSpan.Zero, nameof(targetLatency));
        if (TimeSlice != Timeout.InfiniteTimeSpan)
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(TimeSlice, TimeSpan.Zero, nameof(timeSlice));
        _targetLatency = Math.Min(GoScheduler.Nanoseconds(target), long.MaxValue / 4);
    }

    /// <inheritdoc/>
    public override TimeSpan TimeSlice { get; }

    /// <inheritdoc/>
    public override SchedulingOrder CreateOrder(int processor) => new Order(_targetLatency);

    private sealed class Order(long targetLatency) : SchedulingOrder
    {
        // Equal deadlines in order of arrival.
        private readonly PriorityQueue<GoroutineRef, (long Deadline, long Arrival)> _queue = new();
        private long _arrivals;

        public override void Add(GoroutineRef goroutine, bool next, long now) =>
            _queue.Enqueue(goroutine, (goroutine.Deadline ?? now + targetLatency, _arrivals++));

        public override GoroutineRef TakeNext(long now) => _queue.Dequeue();
    }
}
