namespace NetGo;

/// <summary>A goroutine ended with an exception that nobody could see; Go's panic in a goroutine. It ends the process, unless
/// <see cref="GoScheduler.UnhandledException"/> is handled. The goroutine's own exception is the inner one.</summary>
public sealed class UnhandledGoroutineException : Exception
{
    /// <summary>Makes one with the default message.</summary>
    public UnhandledGoroutineException()
        : base("A goroutine ended with an exception.")
    {
    }

    /// <summary>Makes one with a message.</summary>
    /// <param name="message">What happened, and where the goroutine was spawned.</param>
    public UnhandledGoroutineException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a message and the goroutine's exception.</summary>
    /// <param name="message">What happened, and where the goroutine was spawned.</param>
    /// <param name="innerException">The goroutine's exception.</param>
    public UnhandledGoroutineException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
