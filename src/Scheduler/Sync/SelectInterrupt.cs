namespace NetGo;

// What ends a wait of a select from outside its channels: as a timer its time-out, as a state its token's cancellation. Either
// may still be on its way when the wait is over, and finds then that the select waits no more, or for another wait than the one
// it was armed for. Once it is known that neither is on its way it can be armed again.
internal sealed class SelectInterrupt(Select select) : RuntimeTimer
{
    private static readonly Action<object?> s_cancel =
        static interrupt => ((SelectInterrupt)interrupt!).Interrupt(SelectPhase.Canceled);

    private int _wait;
    private bool _timed;
    private CancellationTokenRegistration _registration;

    /// <summary>Once the cases are queued, outside of all locks.</summary>
    /// <param name="wait">The number of the wait that it is for.</param>
    /// <param name="timeout">The time-out; infinite for none.</param>
    /// <param name="cancellationToken">The token.</param>
    public void Arm(int wait, TimeSpan timeout, CancellationToken cancellationToken)
    {
        _wait = wait;
        _timed = timeout != Timeout.InfiniteTimeSpan;
        if (_timed)
        {
            GoScheduler scheduler = GoScheduler.Current;
            scheduler.TimersForThisThread().Start(this, scheduler.TimeAfter(timeout));
        }
        _registration = cancellationToken.UnsafeRegister(s_cancel, this);
    }

    /// <summary>Once the wait is over. False when it cannot be armed again, because the timer or the callback that has not ended
    /// the wait may be about to try.</summary>
    /// <param name="outcome">What has ended the wait.</param>
    public bool Disarm(SelectPhase outcome)
    {
        bool stopped = !_timed || outcome == SelectPhase.TimedOut || Heap!.Stop(this);
        bool unregistered = _registration == default || _registration.Unregister() || outcome == SelectPhase.Canceled;
        _registration = default;
        return stopped && unregistered;
    }

    internal override void Fire(long now) => Interrupt(SelectPhase.TimedOut);

    private void Interrupt(SelectPhase outcome) => select.Interrupt(_wait, outcome);
}
