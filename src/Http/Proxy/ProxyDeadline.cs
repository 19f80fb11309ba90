namespace NetGo.Http;

/// <summary>By when the backend must have answered, or have taken the next piece of content. Its token is cancelled too when the client goes
/// away.</summary>
internal sealed class ProxyDeadline(TimeSpan timeout, CancellationToken aborted) : IDisposable
{
    private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(aborted);
    private volatile bool _cancelled;

    public CancellationToken Token => _source.Token;

    /// <summary>Whether it was the time that has cancelled the token.</summary>
    public bool HasPassed => _source.IsCancellationRequested && !_cancelled && !aborted.IsCancellationRequested;

    /// <summary>Gives all of the time from now on.</summary>
    public void Start() => _source.CancelAfter(timeout);

    public void Stop() => _source.CancelAfter(Timeout.InfiniteTimeSpan);

    public void Cancel()
    {
        if (!_source.IsCancellationRequested)
            _cancelled = true;
        _source.Cancel();
    }

    public void Dispose() => _source.Dispose();
}
