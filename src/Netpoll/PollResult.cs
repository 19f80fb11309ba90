namespace NetGo.Netpoll;

/// <summary>How a wait on a <see cref="PollDesc"/> ended; Go's pollNoError, pollErrClosing and pollErrTimeout.</summary>
internal enum PollResult
{
    /// <summary>Try the system call again.</summary>
    Ready,

    /// <summary>The descriptor is being closed.</summary>
    Closing,

    /// <summary>The deadline has passed.</summary>
    Timeout,

    /// <summary>The wait was cancelled.</summary>
    Cancelled,
}
