namespace NetGo;

/// <summary>The numbers by which selects order channels.</summary>
internal static class ChannelId
{
    private static long s_last;

    /// <summary>One that no other channel has.</summary>
    public static long Next() => Interlocked.Increment(ref s_last);
}
