namespace NetGo.Http;

/// <summary>The limits and time-outs of a <see cref="Server"/> as its connections use them: fixed when it begins to
/// serve. Sizes in bytes, times in nanoseconds.</summary>
internal sealed record HttpLimits(
    int MaxRequestLineSize,
    int MaxHeaderBytes,
    int MaxHeaderCount,
    long MaxRequestBodySize,
    long ReadHeaderTimeout,
    long ReadTimeout,
    long WriteTimeout,
    long IdleTimeout,
    long BufferTimeout,
    MinDataRate? MinRequestBodyDataRate,
    MinDataRate? MinResponseDataRate);
