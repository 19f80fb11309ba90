using Microsoft.Extensions.Logging;

namespace NetGo.Fuzz;

/// <summary>Keeps what no input may bring about: errors of the server, and exceptions in the handler that are not the input's fault.</summary>
internal sealed class FailureLogger : ILogger
{
    public string? Failure { get; private set; }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            Failure ??= $"{formatter(state, exception)} {exception}";
    }
}
