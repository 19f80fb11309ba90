namespace NetGo;

// A timer that its user may start, stop and reset at any time, from any thread, also while it fires. Guarded by Gate:
//
//   _armed   _when                _period
//   true     when it comes due    0: once; else what is between two times
//   false    -                    -
//
// A firing may arrive late: after a stop or reset to which the heap said that it could no more be stopped. So the heap's word
// counts for nothing here. A firing counts when the timer is armed and _when has come, whichever start it belongs to; the
// other firing of the two, should there be one, then finds the timer disarmed, or armed for later. Each arming ends in exactly
// one way: Expire, or a Reset or Stop that returns true.
//
// The lock order is Gate, then a channel's, a heap's or the scheduler's lock. Expire is called under Gate, so that once a Stop
// has returned nothing more comes out of the timer.
internal abstract class RestartableTimer(GoScheduler scheduler) : RuntimeTimer
{
    private bool _armed;
    private long _when;
    private long _period;

    protected GoScheduler Scheduler => scheduler;

    protected Lock Gate { get; } = new();

    /// <summary>Has it come due after a time; at once, if that is zero or negative.</summary>
    /// <returns>Whether it was armed, or what came out of it was not taken yet.</returns>
    public bool Reset(TimeSpan due, TimeSpan period)
    {
        lock (Gate)
            return ResetLocked(due, period);
    }

    /// <inheritdoc cref="Reset"/>
    public bool Stop()
    {
        lock (Gate)
            return StopLocked();
    }

    protected bool ResetLocked(TimeSpan due, TimeSpan period)
    {
        bool pending = Disarm();
        _armed = true;
        _when = due > TimeSpan.Zero ? scheduler.TimeAfter(due) : scheduler.Now();
        _period = period.Ticks > long.MaxValue / 200 ? long.MaxValue / 2 : period.Ticks * 100;
        if (_when < long.MaxValue)
            scheduler.TimersForThisThread().Reset(this, _when);
        else
            Heap?.Stop(this); // never: the heap shall not keep it
        return pending;
    }

    protected bool StopLocked()
    {
        Heap?.Stop(this);
        return Disarm();
    }

    private bool Disarm()
    {
        bool wasArmed = _armed;
        _armed = false;
        return Withdraw() || wasArmed;
    }

    internal sealed override void Fire(long now)
    {
        lock (Gate)
        {
            if (!_armed || now < _when)
                return;
            long late = now - _when;
            if (_period == 0)
            {
                _armed = false;
            }
            else
            {
                // The first of its times that is still to come: no drift, and none made up for.
                _when += _period * (1 + late / _period);
                scheduler.TimersForThisThread().Reset(this, _when);
            }
            Expire(late);
        }
    }

    /// <summary>It has come due. Under <see cref="Gate"/>; must not block, throw or call the user's code.</summary>
    /// <param name="late">How long ago, in nanoseconds.</param>
    protected abstract void Expire(long late);

    /// <summary>Takes back what has come out of it and was not taken. Under <see cref="Gate"/>.</summary>
    /// <returns>Whether there was anything.</returns>
    protected virtual bool Withdraw() => false;
}
