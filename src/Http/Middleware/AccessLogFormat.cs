namespace NetGo.Http;

/// <summary>How <see cref="Middleware.WithAccessLog"/> writes.</summary>
public enum AccessLogFormat
{
    /// <summary>A message with named values, for sinks that keep them apart.</summary>
    Structured,

    /// <summary>A line in NCSA's Common Log Format: address, time, request line, status, bytes.</summary>
    Common,

    /// <summary>A line in the Combined Log Format of Apache's httpd and nginx: <see cref="Common"/> with Referer and User-Agent.</summary>
    Combined,
}
