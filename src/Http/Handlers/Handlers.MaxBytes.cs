namespace NetGo.Http;

public static partial class Handlers
{
    /// <summary>Limits the content that a handler may read; Go's http.MaxBytesHandler. A read beyond the limit throws
    /// <see cref="BadRequestException"/>: where the handler lets it pass, the answer is 413. The connection ends after that answer, and
    /// after the handler's own if it makes one. When the length was announced, nothing is read. <see cref="Server.MaxRequestBodySize"/> holds
    /// besides.</summary>
    /// <param name="handler">Who answers.</param>
    /// <param name="limit">The longest content, in bytes.</param>
    public static IHandler MaxBytes(IHandler handler, long limit)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        return new MaxBytesHandler(handler, limit);
    }

    private sealed class MaxBytesHandler(IHandler inner, long limit) : IHandler
    {
        public ValueTask ServeHttpAsync(ResponseWriter response, Request request) => request.ContentLength == 0
            ? inner.ServeHttpAsync(response, request)
            : ServeLimitedAsync(response, request);

        private async ValueTask ServeLimitedAsync(ResponseWriter response, Request request)
        {
            Stream body = request.Body;
            request.Body = new LimitedContent(body, limit, response) { IsTooLong = request.ContentLength > limit };
            try
            {
                await inner.ServeHttpAsync(response, request);
            }
            finally
            {
                request.Body = body;
            }
        }
    }
}
