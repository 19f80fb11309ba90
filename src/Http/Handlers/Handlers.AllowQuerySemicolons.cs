namespace NetGo.Http;

public static partial class Handlers
{
    /// <summary>Gives a handler the query with each semicolon replaced by an ampersand; Go's http.AllowQuerySemicolons. For clients that
    /// separate the values by semicolons. A cache in front may take such queries for others than the handler does.</summary>
    /// <param name="handler">Who answers.</param>
    public static IHandler AllowQuerySemicolons(IHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return new AllowQuerySemicolonsHandler(handler);
    }

    private sealed class AllowQuerySemicolonsHandler(IHandler inner) : IHandler
    {
        public ValueTask ServeHttpAsync(ResponseWriter response, Request request) => request.RawQuery.Contains((byte)';')
            ? ServeReplacedAsync(response, request)
            : inner.ServeHttpAsync(response, request);

        private async ValueTask ServeReplacedAsync(ResponseWriter response, Request request)
        {
            byte[] query = request.RawQuery.ToArray();
            query.AsSpan().Replace((byte)';', (byte)'&');
            byte[]? before = request.ReplaceQuery(query);
            try
            {
                await inner.ServeHttpAsync(response, request);
            }
            finally
            {
                request.ReplaceQuery(before);
            }
        }
    }
}
