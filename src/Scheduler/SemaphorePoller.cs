namespace NetGo;

/// <summary>The poller of a processor before (or without) Netpoll: it can sleep and be woken, and knows no descriptors.</summary>
internal sealed class SemaphorePoller : IPoller
{
    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim _event = new(false, spinCount: 0);
    private readonly HighResolutionTimer? _timer = HighResolutionTimer.TryCreate();
    private readonly WaitHandle[]? _eventOrTimer;

    public SemaphorePoller()
    {
        if (_timer is not null)
            _eventOrTimer = [_event.WaitHandle, _timer];
    }

    public bool HasRegistrations => false;

    public void Poll(long timeout, ref GoroutineQueue ready)
    {
        if (timeout == 0)
            return;
        Wait(timeout);
        lock (_lock)
            _event.Reset();
    }

    private void Wait(long timeout)
    {
        if (timeout > 0 && _timer is not null)
        {
            _timer.Set(timeout);
            WaitHandle.WaitAny(_eventOrTimer!);
            return;
        }
        // Rounded up: a timer must not fire early, and a wait of 0 ms would spin.
        int milliseconds = timeout < 0 ? Timeout.Infinite : (int)Math.Min((timeout + 999_999) / 1_000_000, int.MaxValue);
        _event.Wait(milliseconds);
    }

    public void Wake()
    {
        lock (_lock)
            _event.Set();
    }

    public bool TryAdopt(IPoller other) => true;

    public bool TryRelease(IPoller other) => true;

    public void Dispose()
    {
        _event.Dispose();
        _timer?.Dispose();
    }
}
