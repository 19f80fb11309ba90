using Microsoft.Extensions.Logging;

namespace NetGo.Scheduler.Tests.Scopes;

public sealed class ScopeLoggingTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task What_is_logged_in_a_scope_carries_its_path_as_a_property(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        var logger = new PathLogger();
        await scheduler.RunAsync(async () =>
        {
            await TaskScope.RunAsync("root", Context.Background, async root =>
            {
                logger.Note("body");
                await root.Run(async () =>
                {
                    await Go.YieldAsync();
                    logger.Note("task");
                    // Without a logger of its own: it has that of the scope around it.
                    await using (var inner = new TaskScope("fetch", root.Context))
                    {
                        inner.Go(() =>
                        {
                            logger.Note("part");
                            return Task.CompletedTask;
                        }, "part-3");
                        await inner.JoinAsync();
                        logger.Note("joined");
                    }
                    logger.Note("after");
                    return true;
                }, "import");
            }, logger);
            logger.Note("outside");
        }).Within();
        Assert.Equal(
            [
                ("body", "root"), ("task", "root/import"), ("part", "root/import/fetch/part-3"), ("joined", "root/import/fetch"),
                ("after", "root/import"), ("outside", null),
            ],
            logger.Entries);
    }

    /// <summary>Keeps each message with the innermost TaskPath property of the logger scopes that it was logged in.</summary>
    private sealed class PathLogger : ILogger
    {
        private readonly LoggerExternalScopeProvider _scopes = new();
        private readonly List<(string, string?)> _entries = [];

        public IReadOnlyList<(string, string?)> Entries
        {
            get
            {
                lock (_entries)
                    return [.. _entries];
            }
        }

        public void Note(string text) => Log(LogLevel.Information, default, text, null, static (text, _) => text);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => _scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            string? path = null;
            _scopes.ForEachScope<object?>(
                (scope, _) =>
                {
                    KeyValuePair<string, object?> property = Assert.Single(Assert.IsAssignableFrom<IEnumerable<KeyValuePair<string, object?>>>(scope));
                    Assert.Equal("TaskPath", property.Key);
                    path = Assert.IsType<string>(property.Value);
                    Assert.Equal(path, scope!.ToString());
                },
                null);
            lock (_entries)
                _entries.Add((formatter(state, exception), path));
        }
    }
}
