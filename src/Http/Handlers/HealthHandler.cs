using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace NetGo.Http;

/// <summary>Tells who watches over a service how it is: by <see cref="Live"/>, whether it has to be started anew, and by <see cref="Ready"/>,
/// whether it can take requests. 200 when all checks pass, else 503, with a line for each check. Checks run side by side; one that still
/// runs is not started again, and all who ask then get its result: many requests make no load. Checks may be added at any time, from any
/// thread.</summary>
/// <param name="logger">Where to checks that fail are logged; null for nowhere. The answer does not say why.</param>
public sealed class HealthHandler(ILogger? logger = null)
{
    /// <summary>How long a check may take unless it says otherwise: 5 s.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);

    private readonly ILogger _logger = logger ?? NullLogger.Instance;
    private readonly Lock _lock = new();
    private Check[] _live = [];
    private Check[] _ready = [];
    private volatile bool _draining;

    /// <summary>Answers with the checks that say whether the service works at all; with 200 when there are none.</summary>
    public IHandler Live => new HandlerFunc((response, request) => AnswerAsync(response, request, _live, "live", draining: false));

    /// <summary>Answers with the checks that say whether the service can take requests, and with 503 when <see cref="IsDraining"/>.</summary>
    public IHandler Ready => new HandlerFunc((response, request) => AnswerAsync(response, request, _ready, "ready", _draining));

    /// <summary>Set it some time before the server is shut down: no new requests are sent to a service that is not ready.</summary>
    public bool IsDraining
    {
        get => _draining;
        set => _draining = value;
    }

    /// <summary>Adds a check to <see cref="Live"/>.</summary>
    /// <param name="name">Is in the answer.</param>
    /// <param name="check">True when all is well. What it throws means false. Its token is cancelled when the time has passed.</param>
    /// <param name="timeout">How long it may take; null for <see cref="DefaultTimeout"/>.</param>
    /// <exception cref="ArgumentException">The name holds a line feed or another control character.</exception>
    public void AddLive(string name, Func<CancellationToken, ValueTask<bool>> check, TimeSpan? timeout = null) =>
        Add(ref _live, name, check, timeout);

    /// <summary>Adds a check to <see cref="Ready"/>.</summary>
    /// <inheritdoc cref="AddLive"/>
    public void AddReady(string name, Func<CancellationToken, ValueTask<bool>> check, TimeSpan? timeout = null) =>
        Add(ref _ready, name, check, timeout);

    private void Add(ref Check[] checks, string name, Func<CancellationToken, ValueTask<bool>> check, TimeSpan? timeout)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(check);
        if (name.Any(char.IsControl))
            throw new ArgumentException("The name of a check is one line of text.", nameof(name));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout ?? DefaultTimeout, TimeSpan.Zero, nameof(timeout));
        lock (_lock)
            Volatile.Write(ref checks, [.. checks, new Check(name, check, timeout ?? DefaultTimeout)]);
    }

    private async ValueTask AnswerAsync(ResponseWriter response, Request request, Check[] checks, string kind, bool draining)
    {
        Task<Exception?>[] running = [.. checks.Select(check => check.RunAsync())];
        bool healthy = !draining;
        var text = new StringBuilder(draining ? "draining\n" : "");
        for (int i = 0; i < checks.Length; i++)
        {
            Exception? failure = await running[i].WaitAsync(request.Aborted);
            text.Append(checks[i].Name).Append(failure switch { null => ": ok\n", TimeoutException => ": timed out\n", _ => ": failed\n" });
            if (failure is null)
                continue;
            healthy = false;
            MiddlewareLog.CheckFailed(_logger, kind, checks[i].Name, failure);
        }
        response.Header.Set("Content-Type", "text/plain; charset=utf-8");
        response.Header.Set("Cache-Control", "no-store");
        response.WriteHeader(healthy ? 200 : 503);
        await response.WriteAsync(text.Length == 0 ? "ok\n" : text.ToString());
    }

    private sealed class Check(string name, Func<CancellationToken, ValueTask<bool>> function, TimeSpan timeout)
    {
        private readonly Lock _lock = new();
        private Task<bool>? _function;
        private Task<Exception?>? _run;

        public string Name => name;

        /// <summary>Why it failed; null when all is well. One that has not ended yet is joined.</summary>
        public Task<Exception?> RunAsync()
        {
            lock (_lock)
            {
                if (_run is not { IsCompleted: false })
                    _run = Go.RunAsync(WatchAsync);
                return _run;
            }
        }

        private async Task<Exception?> WatchAsync()
        {
            // One that has not heeded its token is not started beside itself.
            if (_function is not { IsCompleted: false })
            {
                var deadline = new CancellationTokenSource(timeout);
                _function = Go.RunAsync(async () =>
                {
                    using (deadline)
                        return await function(deadline.Token);
                });
            }
            try
            {
                return await _function.WaitAsync(timeout) ? null : new InvalidOperationException($"The check {name} says no.");
            }
            catch (OperationCanceledException e)
            {
                return new TimeoutException($"The check {name} has taken more than {timeout}.", e);
            }
            catch (Exception e)
            {
                return e;
            }
        }
    }
}
