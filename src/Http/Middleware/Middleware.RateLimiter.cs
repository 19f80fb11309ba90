using System.Globalization;
using System.Net;
using System.Threading.RateLimiting;

namespace NetGo.Http;

public static partial class Middleware
{
    /// <summary>Lets each client send so many requests in a second; the others are answered with 429 and Retry-After (RFC 6585, section 4).
    /// Clients that pause are forgotten within seconds, so that what is kept is bounded by how many come.</summary>
    /// <param name="handler">Who answers.</param>
    /// <param name="options">Null for the defaults.</param>
    public static IHandler WithRateLimiter(this IHandler handler, RateLimitOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        options ??= new RateLimitOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PerSecond, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Burst, 1, nameof(options));
        // A token each 1/n s, but no more than ten times a second: all buckets share one timer.
        int perPeriod = Math.Max(1, options.PerSecond / 10);
        var bucket = new TokenBucketRateLimiterOptions
        {
            TokenLimit = options.Burst,
            TokensPerPeriod = perPeriod,
            ReplenishmentPeriod = TimeSpan.FromSeconds((double)perPeriod / options.PerSecond),
            QueueLimit = 0,
        };
        PartitionedRateLimiter<Request> limiter = options.Client is { } client
            ? PartitionedRateLimiter.Create<Request, string>(request => RateLimitPartition.GetTokenBucketLimiter(client(request), _ => bucket))
            : PartitionedRateLimiter.Create<Request, IPAddress>(request =>
                RateLimitPartition.GetTokenBucketLimiter(ClientAddress.PartitionOf(request), _ => bucket));
        return new RateLimiterHandler(handler, limiter, 429, mayWait: false);
    }

    /// <summary>Asks a limiter of System.Threading.RateLimiting for each request; ASP.NET Core's UseRateLimiter. What a partition limits, it
    /// limits for as long as the handler runs. A request that waits in a limiter's queue gives its place up when the client goes away.</summary>
    /// <param name="handler">Who answers.</param>
    /// <param name="partition">The limiter of a request, by its client for example: a bounded number of them, or ones that are forgotten when
    /// they are idle.</param>
    /// <param name="statusCode">What the others are answered with. 429 by default.</param>
    public static IHandler WithRateLimiter<TKey>(
        this IHandler handler, Func<Request, RateLimitPartition<TKey>> partition, int statusCode = 429)
        where TKey : notnull
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(partition);
        return new RateLimiterHandler(handler, PartitionedRateLimiter.Create(partition), statusCode, mayWait: true);
    }

    /// <summary>Lets so many requests be handled at a time; the others wait, and those for which there is no place to wait are answered with 503
    /// and Retry-After.</summary>
    /// <param name="handler">Who answers.</param>
    /// <param name="limit">How many at a time.</param>
    /// <param name="queueLimit">How many may wait, the oldest first. 0 by default.</param>
    public static IHandler WithConcurrencyLimit(this IHandler handler, int limit, int queueLimit = 0)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(queueLimit);
        var options = new ConcurrencyLimiterOptions
        {
            PermitLimit = limit,
            QueueLimit = queueLimit,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        };
        PartitionedRateLimiter<Request> limiter =
            PartitionedRateLimiter.Create<Request, int>(_ => RateLimitPartition.GetConcurrencyLimiter(0, _ => options));
        return new RateLimiterHandler(handler, limiter, 503, mayWait: queueLimit > 0);
    }

    private sealed class RateLimiterHandler(
        IHandler inner, PartitionedRateLimiter<Request> limiter, int statusCode, bool mayWait) : IHandler
    {
        public async ValueTask ServeHttpAsync(ResponseWriter response, Request request)
        {
            RateLimitLease lease = limiter.AttemptAcquire(request);
            if (!lease.IsAcquired && mayWait)
            {
                lease.Dispose();
                lease = await limiter.AcquireAsync(request, 1, request.Aborted);
            }
            using (lease)
            {
                if (lease.IsAcquired)
                {
                    await inner.ServeHttpAsync(response, request);
                    return;
                }
                double seconds = lease.TryGetMetadata(MetadataName.RetryAfter, out TimeSpan wait) ? Math.Ceiling(wait.TotalSeconds) : 1;
                response.Header.Set("Retry-After", Math.Max(1, seconds).ToString("F0", CultureInfo.InvariantCulture));
                await response.ErrorAsync(statusCode);
            }
        }
    }
}
