using Microsoft.Extensions.Logging;

namespace Concurrency;

/// <summary>Writes the properties of its scopes and the message; what any logging framework does.</summary>
internal sealed class ConsoleLogger : ILogger
{
    private readonly LoggerExternalScopeProvider _scopes = new();

    public IDisposable BeginScope<TState>(TState state)
        where TState : notnull => _scopes.Push(state);

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        // Of scopes within each other the innermost says it all.
        string path = "";
        _scopes.ForEachScope((scope, _) =>
        {
            if (scope is IEnumerable<KeyValuePair<string, object?>> properties)
                path = string.Join(' ', properties.Select(static property => $"{property.Key}={property.Value}"));
        }, state);
        Console.WriteLine($"{path}: {formatter(state, exception)}");
    }
}
