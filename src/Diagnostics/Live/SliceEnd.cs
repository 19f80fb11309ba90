namespace NetGo.Diagnostics;

/// <summary>How a goroutine's run on a processor ended, as a number.</summary>
internal static class SliceEnd
{
    /// <summary>It had not ended when the sample did: the next has the rest.</summary>
    public const byte RunsOn = 0;

    /// <summary>The goroutine ended.</summary>
    public const byte Ended = 1;

    /// <summary>Its processor was handed off.</summary>
    public const byte HandedOff = 2;

    /// <summary>It stands for several runs.</summary>
    public const byte Several = 3;

    /// <summary>That has not been recorded.</summary>
    public const byte Unknown = 4;

    private const byte FirstReason = 5;

    /// <summary>It parked.</summary>
    public static byte Parked(WaitReason reason) => (byte)(FirstReason + (byte)reason);

    /// <summary>In words, by number.</summary>
    public static string[] Names { get; } =
    [
        "runs on", "ended", "processor handed off", "several runs", "unknown",
        .. Enum.GetValues<WaitReason>().Select(static r => r == WaitReason.Yield ? "yielded" : $"parked: {GoroutineInfo.Words(r.ToString())}"),
    ];
}
