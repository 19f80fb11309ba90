using Microsoft.Extensions.Logging;

namespace NetGo.Http;

/// <summary>What <see cref="Middleware.WithAccessLog"/> logs. Not to be changed once it is in use.</summary>
public sealed class AccessLogOptions
{
    /// <summary>Structured by default.</summary>
    public AccessLogFormat Format { get; set; }

    /// <summary>Information by default.</summary>
    public LogLevel Level { get; set; } = LogLevel.Information;

    /// <summary>Whether the query is logged with the path. True by default; false where queries hold secrets.</summary>
    public bool IncludeQuery { get; set; } = true;

    /// <summary>Which requests are logged; null for all. Asked after the answer.</summary>
    public Func<Request, bool>? Filter { get; set; }

    /// <summary>What tells the time. The system by default.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;
}
