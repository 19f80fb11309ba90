namespace NetGo.Http;

/// <summary>Where a hosted server listens, and the limits and time-outs of its <see cref="Server"/>, which have that one's
/// defaults. They may come from configuration, in which times are like "00:00:30" (and "-00:00:00.0010000" is
/// <see cref="Timeout.InfiniteTimeSpan"/>). Read once, when the host starts.</summary>
public sealed class NetGoOptions
{
    private static readonly Server s_defaults = new();

    /// <summary>Where it listens. When there is none, at <see cref="Server.Address"/>'s default, ":8080".</summary>
    public IList<NetGoEndpoint> Endpoints { get; } = [];

    /// <inheritdoc cref="Server.ServerName"/>
    public string? ServerName { get; set; }

    /// <inheritdoc cref="Server.MaxRequestLineSize"/>
    public int MaxRequestLineSize { get; set; } = s_defaults.MaxRequestLineSize;

    /// <inheritdoc cref="Server.MaxHeaderBytes"/>
    public int MaxHeaderBytes { get; set; } = s_defaults.MaxHeaderBytes;

    /// <inheritdoc cref="Server.MaxHeaderCount"/>
    public int MaxHeaderCount { get; set; } = s_defaults.MaxHeaderCount;

    /// <inheritdoc cref="Server.MaxRequestBodySize"/>
    public long MaxRequestBodySize { get; set; } = s_defaults.MaxRequestBodySize;

    /// <inheritdoc cref="Server.ReadHeaderTimeout"/>
    public TimeSpan ReadHeaderTimeout { get; set; } = s_defaults.ReadHeaderTimeout;

    /// <inheritdoc cref="Server.ReadTimeout"/>
    public TimeSpan ReadTimeout { get; set; } = s_defaults.ReadTimeout;

    /// <inheritdoc cref="Server.WriteTimeout"/>
    public TimeSpan WriteTimeout { get; set; } = s_defaults.WriteTimeout;

    /// <inheritdoc cref="Server.IdleTimeout"/>
    public TimeSpan IdleTimeout { get; set; } = s_defaults.IdleTimeout;

    /// <inheritdoc cref="Server.BufferTimeout"/>
    public TimeSpan BufferTimeout { get; set; } = s_defaults.BufferTimeout;

    /// <inheritdoc cref="Server.MaxConnections"/>
    public int MaxConnections { get; set; } = s_defaults.MaxConnections;

    /// <inheritdoc cref="Server.MaxConnectionsPerAddress"/>
    public int MaxConnectionsPerAddress { get; set; } = s_defaults.MaxConnectionsPerAddress;

    /// <inheritdoc cref="Server.MaxUnsentBytes"/>
    public int MaxUnsentBytes { get; set; } = s_defaults.MaxUnsentBytes;

    /// <summary>The rate of <see cref="Server.MinRequestBodyDataRate"/>, in bytes per second; 0 for none.</summary>
    public double MinRequestBodyBytesPerSecond { get; set; } = s_defaults.MinRequestBodyDataRate!.BytesPerSecond;

    /// <summary>Its grace period.</summary>
    public TimeSpan MinRequestBodyGracePeriod { get; set; } = s_defaults.MinRequestBodyDataRate!.GracePeriod;

    /// <summary>The rate of <see cref="Server.MinResponseDataRate"/>, in bytes per second; 0 for none.</summary>
    public double MinResponseBytesPerSecond { get; set; } = s_defaults.MinResponseDataRate!.BytesPerSecond;

    /// <summary>Its grace period.</summary>
    public TimeSpan MinResponseGracePeriod { get; set; } = s_defaults.MinResponseDataRate!.GracePeriod;

    /// <summary>Adds an address to listen on.</summary>
    /// <param name="address">For example ":8080" or "unix:/run/app.sock".</param>
    public void Listen(string address) => Endpoints.Add(new NetGoEndpoint { Address = address });

    /// <summary>Adds an address to listen on with TLS.</summary>
    /// <param name="address">For example ":8443".</param>
    /// <param name="certificate">The PEM file of the certificate.</param>
    /// <param name="key">The PEM file of its key.</param>
    public void ListenTls(string address, string certificate, string key) =>
        Endpoints.Add(new NetGoEndpoint { Address = address, Certificate = certificate, Key = key });

    /// <summary>The one place where a limit goes from here to the server.</summary>
    internal void ApplyTo(Server server)
    {
        server.ServerName = ServerName;
        server.MaxRequestLineSize = MaxRequestLineSize;
        server.MaxHeaderBytes = MaxHeaderBytes;
        server.MaxHeaderCount = MaxHeaderCount;
        server.MaxRequestBodySize = MaxRequestBodySize;
        server.ReadHeaderTimeout = ReadHeaderTimeout;
        server.ReadTimeout = ReadTimeout;
        server.WriteTimeout = WriteTimeout;
        server.IdleTimeout = IdleTimeout;
        server.BufferTimeout = BufferTimeout;
        server.MaxConnections = MaxConnections;
        server.MaxConnectionsPerAddress = MaxConnectionsPerAddress;
        server.MaxUnsentBytes = MaxUnsentBytes;
        server.MinRequestBodyDataRate = Rate(MinRequestBodyBytesPerSecond, MinRequestBodyGracePeriod, nameof(MinRequestBodyBytesPerSecond));
        server.MinResponseDataRate = Rate(MinResponseBytesPerSecond, MinResponseGracePeriod, nameof(MinResponseBytesPerSecond));
    }

    private static MinDataRate? Rate(double bytesPerSecond, TimeSpan gracePeriod, string name)
    {
        if (bytesPerSecond == 0)
            return null;
        return bytesPerSecond > 0 && double.IsFinite(bytesPerSecond) && gracePeriod > TimeSpan.Zero
            ? new MinDataRate(bytesPerSecond, gracePeriod)
            : throw new InvalidOperationException($"{name} must be positive, or 0 for none, and its grace period positive.");
    }
}
