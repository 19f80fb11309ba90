using Microsoft.Extensions.Logging;

namespace ClientsServer;

/// <summary>Writes what is logged to the standard error.</summary>
internal sealed class ErrorLogger(LogLevel least) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            Console.Error.WriteLine($"{logLevel}: {formatter(state, exception)} {exception}");
    }
}
