namespace NetGo.Http;

public static partial class Handlers
{
    /// <summary>Answers every request with 404; Go's http.NotFoundHandler.</summary>
    public static IHandler NotFound { get; } = new HandlerFunc(static (response, _) => response.ErrorAsync(404));
}
