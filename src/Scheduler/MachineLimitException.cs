namespace NetGo;

/// <summary>The scheduler needs one more thread to go on while others block, and may not or cannot have it; Go's "thread
/// exhaustion". Reported by <see cref="GoScheduler.UnhandledException"/>; unless that is handled the process ends.</summary>
public sealed class MachineLimitException : Exception
{
    /// <summary>Makes one with a message that fits all cases.</summary>
    public MachineLimitException()
        : base("The scheduler cannot have the threads that it needs.")
    {
    }

    /// <summary>Makes one for a limit.</summary>
    /// <param name="limit">How many threads the scheduler may have.</param>
    public MachineLimitException(int limit)
        : base($"The scheduler needs one thread more than it may have (SchedulerOptions.MaxMachines = {limit}) or than the system gives " +
            "it: that many goroutines block their threads at the same time. Let them wait by await, or bound how many block.")
    {
    }

    /// <summary>Makes one with a message.</summary>
    /// <param name="message">The message.</param>
    public MachineLimitException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a message and a cause.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public MachineLimitException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
