namespace NetGo;

/// <summary>What stands on a channel's queue for a case of a select.</summary>
internal sealed class ChannelCase<T>(SelectCase selectCase) : ChannelWaiter<T>
{
    public override ChannelWaiter<T>? Previous { get; set; }

    /// <summary>Whether a value changed hands when the case last happened; false when the channel was closed.</summary>
    public bool Ok { get; set; }

    /// <summary>Of a select only the first case to get here wins.</summary>
    public override bool TryClaim() => selectCase.Select.TryWin(selectCase);

    public override Goroutine? Complete(ChannelWaiterStatus outcome)
    {
        Ok = outcome == ChannelWaiterStatus.Exchanged;
        return selectCase.Select.TakeParked();
    }
}
