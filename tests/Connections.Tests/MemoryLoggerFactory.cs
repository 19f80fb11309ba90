using Microsoft.Extensions.Logging;

namespace NetGo.Connections.Tests;

/// <summary>One logger for all categories, which keeps what is logged.</summary>
internal sealed class MemoryLoggerFactory(MemoryLogger logger) : ILoggerFactory
{
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public ILogger CreateLogger(string categoryName) => logger;

    public void Dispose()
    {
    }
}
