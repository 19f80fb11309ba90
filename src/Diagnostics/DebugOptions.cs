namespace NetGo.Diagnostics;

/// <summary>Who may see the debugging pages, and what they may cost.</summary>
public sealed class DebugOptions
{
    /// <summary>Whether a request is answered; 403 when it is not. The default, null, lets in who connects from this machine, asks for it by
    /// a name of this machine (localhost or a loopback address), and is no page of another site. Behind a reverse proxy on this machine
    /// everybody connects from this machine: there set it, or do not pass these paths on. Set, it decides alone.</summary>
    public Func<DebugRequest, ValueTask<bool>>? Authorize { get; set; }

    /// <summary>For how long a profile is taken when the request does not say, no longer than <see cref="MaxDuration"/>; Go's are 30 seconds.</summary>
    public TimeSpan DefaultDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>For how long a profile may be taken at most. The default is 5 minutes.</summary>
    public TimeSpan MaxDuration { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The scheduler whose goroutines are shown. The default, null, is the one that serves the request, else
    /// <see cref="GoScheduler.Default"/>.</summary>
    public GoScheduler? Scheduler { get; set; }

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(DefaultDuration, TimeSpan.Zero, nameof(DefaultDuration));
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxDuration, TimeSpan.FromSeconds(1), nameof(MaxDuration));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxDuration, TimeSpan.FromDays(1), nameof(MaxDuration));
    }
}
