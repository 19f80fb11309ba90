using NetGo.Interleaving;

namespace NetGo;

/// <summary>A heap of one timer, which the test takes off and fires. What is done to it is one step: it has a lock.</summary>
internal sealed class TimerHeap
{
    private RuntimeTimer? _timer;

    /// <summary>When the timer is due; <see cref="long.MaxValue"/> when there is none.</summary>
    public long When { get; private set; } = long.MaxValue;

    public void Start(RuntimeTimer timer, long when)
    {
        Run.Point();
        Assert.True(timer.HeapIndex < 0, "A timer was started twice.");
        timer.Heap = this;
        timer.HeapIndex = 0;
        _timer = timer;
        When = when;
    }

    public bool Stop(RuntimeTimer timer)
    {
        Run.Point();
        bool was = timer.HeapIndex >= 0;
        Take();
        return was;
    }

    /// <summary>The timer, if it is due, taken off the heap to be fired.</summary>
    public RuntimeTimer? TakeDue(long now)
    {
        Run.Point();
        return When <= now ? Take() : null;
    }

    private RuntimeTimer? Take()
    {
        RuntimeTimer? timer = _timer;
        _timer = null;
        When = long.MaxValue;
        if (timer is not null)
            timer.HeapIndex = -1;
        return timer;
    }
}
