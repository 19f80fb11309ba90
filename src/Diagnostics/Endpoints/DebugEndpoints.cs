namespace NetGo.Diagnostics;

/// <summary>All debugging pages, and what is the same for all of them. Who adds one adds it to <see cref="All"/>.</summary>
internal static class DebugEndpoints
{
    public const string DefaultPrefix = "/debug";

    public static IReadOnlyList<DebugEndpoint> All { get; } = [.. PprofEndpoints.All, .. LiveEndpoints.All];

    public static async ValueTask ServeAsync(DebugExchange exchange)
    {
        DebugRequest request = exchange.Request;
        try
        {
            if (exchange.Options.Authorize is { } authorize)
            {
                if (!await authorize(request))
                    throw new DebugRequestException(403, "Forbidden.");
            }
            else if (DebugAccess.Refuses(request) is { } reason)
            {
                throw new DebugRequestException(403, reason);
            }
            if (request.Method is not ("GET" or "HEAD"))
                throw new DebugRequestException(405, "Only GET is allowed here.");
            string path = request.Path.StartsWith(exchange.Prefix, StringComparison.Ordinal) ? request.Path[exchange.Prefix.Length..] : request.Path;
            DebugEndpoint endpoint = All.FirstOrDefault(e => e.Path == path)
                ?? throw new DebugRequestException(404, $"There is no such page: see {exchange.Prefix}/pprof/.");
            await endpoint.ServeAsync(exchange);
        }
        catch (DebugRequestException e)
        {
            await exchange.TextAsync(e.Status, e.Message + "\n");
        }
        catch (ProfileUnavailableException e)
        {
            await exchange.TextAsync(503, e.Message + "\n");
        }
        catch (OperationCanceledException) when (request.Aborted.IsCancellationRequested)
        {
            // Nobody waits for the answer.
        }
    }
}
