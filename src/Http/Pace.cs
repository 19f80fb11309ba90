namespace NetGo.Http;

// How long a client is waited for, in one direction. It has a credit of time, the grace period at first: waiting uses it up, and each byte adds to
// it what it may take at the least rate; up to the time-out, so that a fast beginning does not buy hours. A wait ends with the credit, or the
// time-out. Without a rate the credit is the time-out itself, new for each wait. Times in nanoseconds.
internal struct Pace
{
    private long _credit;
    private long _bytes;
    private bool _begun;

    /// <summary>A wait begins, or goes on: how long it may take.</summary>
    /// <param name="rate">The least one; null for none.</param>
    /// <param name="timeout">Of a wait.</param>
    /// <param name="bytes">How many have gone by so far.</param>
    public long Allow(MinDataRate? rate, long timeout, long bytes)
    {
        if (rate is null)
            return timeout;
        long grace = rate.GracePeriod.Ticks * 100;
        if (!_begun)
        {
            _begun = true;
            _credit = grace;
        }
        else
        {
            double earned = (bytes - _bytes) * (1e9 / rate.BytesPerSecond);
            _credit = (long)Math.Min(Math.Max(timeout, grace), _credit + earned);
        }
        _bytes = bytes;
        return Math.Min(timeout, _credit);
    }

    /// <summary>A wait has taken some time.</summary>
    public void Spend(long time) => _credit -= time;
}
