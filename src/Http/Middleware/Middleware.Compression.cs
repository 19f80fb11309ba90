namespace NetGo.Http;

public static partial class Middleware
{
    /// <summary>Compresses what a handler answers, with the coding that the client prefers (RFC 9110, section 12.5.3); ASP.NET Core's
    /// UseResponseCompression. Not compressed are parts (206), answers that have a Content-Encoding already, other media types, short
    /// content, and what has Cache-Control: no-transform. A strong ETag becomes weak. See <see cref="CompressionOptions"/> about BREACH.</summary>
    /// <param name="handler">Whose answers are compressed.</param>
    /// <param name="options">Null for the defaults.</param>
    public static IHandler WithCompression(this IHandler handler, CompressionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return new CompressionHandler(handler, options ?? new CompressionOptions());
    }

    private sealed class CompressionHandler(IHandler inner, CompressionOptions options) : IHandler
    {
        private readonly string[] _codings = [.. options.Codings];

        public async ValueTask ServeHttpAsync(ResponseWriter response, Request request)
        {
            var accepted = new AcceptEncoding(request.Header);
            var writer = new CompressingResponseWriter(response, request, options, accepted.Choose(_codings), accepted.RefusesIdentity);
            try
            {
                await inner.ServeHttpAsync(writer, request);
                await writer.EndAsync();
            }
            finally
            {
                writer.Release();
            }
        }
    }
}
