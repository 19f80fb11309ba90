namespace NetGo;

/// <summary>Goroutines have outlived what they were spawned for; see <see cref="GoroutineLeaks"/>.</summary>
public sealed class GoroutineLeakException : Exception
{
    private const int MaxListed = 20;

    /// <summary>Makes one without a list.</summary>
    public GoroutineLeakException()
    {
    }

    /// <summary>Makes one with a message.</summary>
    /// <param name="message">The message.</param>
    public GoroutineLeakException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one with a message and a cause.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public GoroutineLeakException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal GoroutineLeakException(IReadOnlyList<GoroutineInfo> goroutines)
        : base($"{goroutines.Count} goroutines have not ended:" +
            string.Concat(goroutines.Take(MaxListed).Select(g => $"{Environment.NewLine}  {g}")) +
            (goroutines.Count > MaxListed ? $"{Environment.NewLine}  ..." : "")) =>
        Goroutines = goroutines;

    /// <summary>All of them, with where they were spawned and what they wait for.</summary>
    public IReadOnlyList<GoroutineInfo> Goroutines { get; } = [];
}
