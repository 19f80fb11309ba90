namespace NetGo;

/// <summary>The poller of a processor before (or without) Netpoll: it can sleep and be woken, and knows no descriptors.</summary>
internal sealed class SemaphorePoller : IPoller
{
    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim _event = new(false, spinCount: 0);

    public bool HasRegistrations => false;

    public void Poll(long timeout, ref GoroutineQueue ready)
    {
        if (timeout == 0)
            return;
        // Rounded up: a timer must not fire early, and a wait of 0 ms would spin.
        int milliseconds = timeout < 0 ? Timeout.Infinite : (int)Math.Min((timeout + 999_999) / 1_000_000, int.MaxValue);
        _event.Wait(milliseconds);
        lock (_lock)
            _event.Reset();
    }

    public void Wake()
    {
        lock (_lock)
            _event.Set();
    }

    public bool TryAdopt(IPoller other) => true;

    public bool TryRelease(IPoller other) => true;

    public void Dispose() => _event.Dispose();
}
