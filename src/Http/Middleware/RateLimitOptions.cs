namespace NetGo.Http;

/// <summary>How many requests <see cref="Middleware.WithRateLimiter(IHandler, RateLimitOptions)"/> lets pass. Not to be changed once it is in
/// use.</summary>
public sealed class RateLimitOptions
{
    /// <summary>How many requests each client may send in a second, in the long run. 100 by default.</summary>
    public int PerSecond { get; set; } = 100;

    /// <summary>How many it may send at once after a pause. 200 by default.</summary>
    public int Burst { get; set; } = 200;

    /// <summary>What tells one client from another; null for its address, of IPv6 the first 64 bits. Behind a proxy all have the proxy's.</summary>
    public Func<Request, string>? Client { get; set; }
}
