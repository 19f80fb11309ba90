namespace NetGo;

/// <summary>Where the machine of a <see cref="Simulation"/> comes when nothing can run.</summary>
internal sealed class SimulationPoller(Simulation simulation) : IPoller
{
    private readonly ManualResetEventSlim _outside = new(false, spinCount: 0);

    public bool HasRegistrations => false;

    public void Poll(long timeout, ref GoroutineQueue ready)
    {
        if (timeout != 0)
            simulation.Idle(timeout, ref ready);
    }

    public void Wake() => _outside.Set();

    /// <summary>Waits until somebody outside of the simulation has made a goroutine ready. False when none did.</summary>
    public bool WaitForOutside(TimeSpan limit)
    {
        if (!_outside.Wait(limit))
            return false;
        _outside.Reset();
        return true;
    }

    public bool TryAdopt(IPoller other) => true;

    public bool TryRelease(IPoller other) => true;

    public void Dispose() => _outside.Dispose();
}
