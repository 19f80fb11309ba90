namespace NetGo;

/// <summary>A context that a timer ends; Go's timerCtx.</summary>
internal sealed class DeadlineContext : CancelContext
{
    private readonly DeadlineTimer _timer;
    private readonly ContextDeadline _deadline;
    private readonly Exception? _deadlineCause;

    private DeadlineContext(Context parent, ContextDeadline deadline, Exception? cause)
        : base(parent, deadline)
    {
        _deadline = deadline;
        _deadlineCause = cause;
        _timer = new DeadlineTimer(this);
    }

    private protected override string Step => $"WithDeadline({_deadline.WallTime:O})";

    /// <summary>A context with a timer only if it can matter.</summary>
    public static CancelContext Make(Context parent, ContextDeadline? deadline, Exception? cause)
    {
        ContextDeadline? inherited = parent.Canceler?.DeadlineOfItsOwn;
        if (deadline is null || (inherited is not null && inherited.IsNoLaterThan(deadline)))
            return WithCancel(parent);
        var context = new DeadlineContext(parent, deadline, cause);
        if (deadline.HasPassed)
        {
            context.Attach(); // the parent's error, if it has ended
            context.Finish(ContextDeadlineExceededException.For(cause), cause);
            return context;
        }
        // Before it can be ended by the parent, which stops the timer.
        deadline.Scheduler.TimersForThisThread().Start(context._timer, deadline.Time);
        context.Attach();
        return context;
    }

    private protected override void Release() => _timer.Heap?.Stop(_timer);

    // On a machine, in the scheduler's code.
    private void TimeIsUp()
    {
        List<CancelContext>? finished = FinishWithoutTokens(ContextDeadlineExceededException.For(_deadlineCause), _deadlineCause);
        if (finished is null || !AnyHasToken(finished))
            return;
        try
        {
            _deadline.Scheduler.Spawn(() => CancelTokens(finished));
        }
        catch (ObjectDisposedException)
        {
            // The scheduler is being stopped: nothing that it was to run is run any more.
        }
    }

    private sealed class DeadlineTimer(DeadlineContext context) : RuntimeTimer
    {
        internal override void Fire(long now) => context.TimeIsUp();
    }
}
