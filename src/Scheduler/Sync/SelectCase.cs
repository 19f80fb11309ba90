namespace NetGo;

/// <summary>One of the things that a <see cref="Select"/> waits for: a <see cref="ReceiveCase{T}"/> or a
/// <see cref="SendCase{T}"/>.</summary>
public abstract class SelectCase
{
    internal SelectCase(Select select, int index)
    {
        Select = select;
        Index = index;
    }

    /// <summary>The case's number: the first that was added to the select is 0.</summary>
    public int Index { get; }

    internal Select Select { get; }

    /// <summary>The channel's id; 0 when there is no channel, and the case never happens.</summary>
    internal long ChannelId { get; private protected set; }

    internal abstract void Enter();

    internal abstract void Exit();

    /// <summary>After a pass that may have put it on its queue or done it, when no channel is locked any more.</summary>
    internal abstract void TellObservers();

    /// <summary>Under the channel's lock: does it now if it can.</summary>
    internal abstract bool TryLocked(out Goroutine? wake);

    internal abstract void EnqueueLocked();

    /// <summary>Takes it off its queue, if it is on it. Passes through the channel's lock in any case.</summary>
    internal abstract void Withdraw();

    /// <summary>Once it has happened: throws when it ended badly.</summary>
    internal abstract void ThrowIfFailed();
}
