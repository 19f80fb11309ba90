namespace NetGo;

/// <summary>A context's deadline has passed; Go's context.DeadlineExceeded. A <see cref="TimeoutException"/> and no
/// <see cref="OperationCanceledException"/>: nobody gave up, it took too long, and who handles the one seldom means the
/// other.</summary>
public sealed class ContextDeadlineExceededException : TimeoutException
{
    /// <summary>Makes one with the default message.</summary>
    public ContextDeadlineExceededException()
        : base("The context's deadline has passed.")
    {
    }

    /// <summary>Makes one with a message.</summary>
    /// <param name="message">The message.</param>
    public ContextDeadlineExceededException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a message and a cause.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public ContextDeadlineExceededException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal static ContextDeadlineExceededException For(Exception? cause) =>
        cause is null ? new() : new($"The context's deadline has passed: {cause.Message}", cause);
}
