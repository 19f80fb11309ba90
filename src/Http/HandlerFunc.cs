namespace NetGo.Http;

/// <summary>A function as a handler; Go's http.HandlerFunc.</summary>
public sealed class HandlerFunc : IHandler
{
    private readonly Func<ResponseWriter, Request, ValueTask> _function;

    /// <summary>Makes a handler of a function.</summary>
    /// <param name="function">What <see cref="ServeHttpAsync"/> calls.</param>
    public HandlerFunc(Func<ResponseWriter, Request, ValueTask> function) =>
        _function = function ?? throw new ArgumentNullException(nameof(function));

    /// <inheritdoc/>
    public ValueTask ServeHttpAsync(ResponseWriter response, Request request) => _function(response, request);
}
