namespace NetGo;

/// <summary>Tasks of a <see cref="TaskScope"/>, or its body, have failed. Thrown once all of them have ended.</summary>
public sealed class ScopeException : AggregateException
{
    /// <summary>Makes one with the default message.</summary>
    public ScopeException()
        : base("A scope failed.")
    {
    }

    /// <summary>Makes one with a message.</summary>
    /// <param name="message">The message.</param>
    public ScopeException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a message and a failure.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The failure.</param>
    public ScopeException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal ScopeException(string path, IReadOnlyList<ScopeFailure> failures)
        : base($"Scope {path} failed ({string.Join(", ", failures.Select(failure => failure.Path))}).", failures.Select(failure => failure.Exception)) =>
        Failures = failures;

    /// <summary>What failed where, the first first: it is what canceled the others. The same exceptions as
    /// <see cref="AggregateException.InnerExceptions"/>.</summary>
    public IReadOnlyList<ScopeFailure> Failures { get; } = [];
}
