namespace NetGo;

/// <summary>A context was canceled; Go's context.Canceled. An <see cref="OperationCanceledException"/>, so that code which knows
/// no contexts treats it as it does any cancellation.</summary>
public sealed class ContextCanceledException : OperationCanceledException
{
    /// <summary>Makes one with the default message.</summary>
    public ContextCanceledException()
        : base("The context was canceled.")
    {
    }

    /// <summary>Makes one with a message.</summary>
    /// <param name="message">The message.</param>
    public ContextCanceledException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a message and a cause.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public ContextCanceledException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    private ContextCanceledException(string message, Exception? cause, CancellationToken token)
        : base(message, cause, token)
    {
    }

    internal static ContextCanceledException For(Exception? cause, CancellationToken token) =>
        new(cause is null ? "The context was canceled." : $"The context was canceled: {cause.Message}", cause, token);
}
