namespace NetGo;

/// <summary>What code that runs on a machine leaves to be done when it gives way: what <see cref="DeferredWork"/> keeps.</summary>
internal interface IDeferredWork
{
    /// <summary>The list's, while it is in one.</summary>
    IDeferredWork? NextDeferred { get; set; }

    /// <summary>Does it, on any thread. It may be deferred again from then on. Does not throw, nor block.</summary>
    void RunDeferred();
}
