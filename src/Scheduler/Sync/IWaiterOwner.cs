namespace NetGo;

/// <summary>What a <see cref="GrantWaiter"/> waits for.</summary>
internal interface IWaiterOwner
{
    /// <summary>Takes a waiter off the queue, if it is on it still, because its wait was cancelled.</summary>
    bool TryWithdraw(GrantWaiter waiter);
}
