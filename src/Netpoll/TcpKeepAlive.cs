namespace NetGo.Netpoll;

/// <summary>When the system asks the peer of a silent connection whether it is still there, and when it gives the connection up;
/// Go's net.KeepAliveConfig. A peer that has vanished is found out after <see cref="Idle"/> + <see cref="Interval"/> *
/// <see cref="Count"/>.</summary>
public sealed record TcpKeepAlive
{
    private const int MaxSeconds = 32767;
    private const int MaxCount = 127;

    private readonly TimeSpan? _idle = TimeSpan.FromSeconds(15);
    private readonly TimeSpan? _interval = TimeSpan.FromSeconds(15);
    private readonly int? _count = 9;

    /// <summary>After 15 s, every 15 s, 9 times.</summary>
    public static TcpKeepAlive Default { get; } = new();

    /// <summary>Never: a peer that has vanished is found out only when something is written to it.</summary>
    public static TcpKeepAlive Off { get; } = new() { Enabled = false };

    /// <summary>Whether it asks at all. True by default.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>How long a connection is silent before it first asks (TCP_KEEPIDLE), rounded up to whole seconds. 15 s by
    /// default; null for what the system has, which is two hours on most.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive, or more than 32767 s.</exception>
    public TimeSpan? Idle
    {
        get => _idle;
        init => _idle = Checked(value);
    }

    /// <summary>The time between one question that is not answered and the next (TCP_KEEPINTVL), rounded up to whole seconds. 15
    /// s by default; null for what the system has.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not positive, or more than 32767 s.</exception>
    public TimeSpan? Interval
    {
        get => _interval;
        init => _interval = Checked(value);
    }

    /// <summary>How many questions go unanswered before the connection is given up (TCP_KEEPCNT). 9 by default; null for what the
    /// system has.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not 1 to 127.</exception>
    public int? Count
    {
        get => _count;
        init
        {
            if (value is { } count)
            {
                ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(value));
                ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MaxCount, nameof(value));
            }
            _count = value;
        }
    }

    private static TimeSpan? Checked(TimeSpan? value)
    {
        if (value is { } time)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero, nameof(value));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(time, TimeSpan.FromSeconds(MaxSeconds), nameof(value));
        }
        return value;
    }
}
