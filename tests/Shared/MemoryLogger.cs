using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace NetGo.Tests;

/// <summary>Keeps what a server logs.</summary>
internal sealed class MemoryLogger(LogLevel minimum = LogLevel.Information) : ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Message, Exception? Exception)> _entries = new();

    public IEnumerable<(LogLevel Level, string Message, Exception? Exception)> Entries => _entries;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= minimum;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            _entries.Enqueue((logLevel, formatter(state, exception), exception));
    }

    public void AssertNothingCritical() =>
        Assert.DoesNotContain(_entries, entry => entry.Level == LogLevel.Critical);
}
