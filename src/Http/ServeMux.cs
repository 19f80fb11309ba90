namespace NetGo.Http;

/// <summary>Sends requests to handlers by patterns with the syntax and precedence of Go 1.22: "[METHOD ][HOST]/[PATH]" with
/// wildcards {name}, {name...} and {$}. Go's http.ServeMux. Patterns may be added at any time from any thread.</summary>
public sealed class ServeMux : IHandler
{
    private readonly RoutingTree<IHandler> _routes = new();

    /// <summary>Registers a handler for a pattern.</summary>
    /// <param name="pattern">For example "GET /users/{id}".</param>
    /// <param name="handler">Who answers the requests that match.</param>
    /// <exception cref="FormatException">The pattern is malformed: the message says where.</exception>
    /// <exception cref="InvalidOperationException">It conflicts with a pattern that is registered: some request matches both,
    /// and neither is the more specific.</exception>
    public void Handle(string pattern, IHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        _routes.Add(Http.Pattern.Parse(pattern), handler);
    }

    /// <summary>Registers a function for a pattern.</summary>
    /// <param name="pattern">For example "GET /users/{id}".</param>
    /// <param name="function">What answers the requests that match.</param>
    /// <inheritdoc cref="Handle" path="/exception"/>
    public void HandleFunc(string pattern, Func<ResponseWriter, Request, ValueTask> function) => Handle(pattern, new HandlerFunc(function));

    /// <summary>Answers with the handler whose pattern matches best; else with 404, with 405 and Allow when the path has
    /// handlers for other methods, or with a redirect to the clean path.</summary>
    /// <inheritdoc/>
    public ValueTask ServeHttpAsync(ResponseWriter response, Request request)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(request);
        if (request.RawPath.SequenceEqual("*"u8))
            return default; // OPTIONS *: the server as a whole is there
        switch (_routes.Match(request.RawMethod, request.RawHost, request.RoutedPath, request.PathMatch, out IHandler? handler))
        {
            case RouteOutcome.Found:
                return GoTrace.IsEnabled ? ServeTracedAsync(handler!, response, request) : handler!.ServeHttpAsync(response, request);
            case RouteOutcome.Redirect:
                string path = request.StrippedPrefix + request.PathMatch.RedirectPath;
                response.Header.Set("Location", request.HasQuery ? $"{path}?{request.Query}" : path);
                return response.ErrorAsync(RoutingTree<IHandler>.RedirectStatusCode);
            case RouteOutcome.MethodNotAllowed:
                response.Header.Set("Allow", string.Join(", ", request.PathMatch.AllowedMethods));
                return response.ErrorAsync(405);
            default:
                return response.ErrorAsync(404);
        }
    }

    // In a trace each request is a task, and a region of the connection's goroutine, both with the pattern for a name. What handlers write with the
    // request's context belongs to it.
    private static async ValueTask ServeTracedAsync(IHandler handler, ResponseWriter response, Request request)
    {
        string pattern = request.PathMatch.Pattern!.Text;
        using TraceTask task = GoTrace.NewTask(request.Context, pattern);
        request.Context = task.Context;
        using (GoTrace.StartRegion(task.Context, pattern))
            await handler.ServeHttpAsync(response, request);
    }
}
