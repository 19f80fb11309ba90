namespace NetGo;

/// <summary>How the wait of a <see cref="MutexWaiter"/> has ended.</summary>
internal enum MutexOutcome : byte
{
    /// <summary>It goes on.</summary>
    None,

    /// <summary>The waiter has the mutex.</summary>
    Locked,

    /// <summary>It was cancelled, and the waiter does not have the mutex.</summary>
    Cancelled,
}
