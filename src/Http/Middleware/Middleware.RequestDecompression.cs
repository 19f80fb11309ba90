using System.IO.Compression;

namespace NetGo.Http;

public static partial class Middleware
{
    /// <summary>Decompresses the content of requests: gzip, br and deflate (RFC 9110, section 8.4); ASP.NET Core's UseRequestDecompression.
    /// Another coding, or several, is answered with 415 and Accept-Encoding. Content that becomes too long, or is malformed, lets a read of
    /// it throw <see cref="BadRequestException"/>: 413 or 400.</summary>
    /// <param name="handler">Reads the content as if it had not been compressed: Content-Encoding and Content-Length are taken away.</param>
    /// <param name="options">Null for the defaults.</param>
    public static IHandler WithRequestDecompression(this IHandler handler, RequestDecompressionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return new RequestDecompressionHandler(handler, options ?? new RequestDecompressionOptions());
    }

    private sealed class RequestDecompressionHandler(IHandler inner, RequestDecompressionOptions options) : IHandler
    {
        public ValueTask ServeHttpAsync(ResponseWriter response, Request request)
        {
            if (!request.Header.Contains("Content-Encoding"))
                return inner.ServeHttpAsync(response, request);
            string coding = string.Join(',', request.Header.GetAll("Content-Encoding")).Trim();
            if (coding.Equals("identity", StringComparison.OrdinalIgnoreCase))
                return inner.ServeHttpAsync(response, request);
            var received = new CompressedContent(request.Body);
            Stream? decompressor = coding.ToUpperInvariant() switch
            {
                "GZIP" or "X-GZIP" => new GZipStream(received, CompressionMode.Decompress, leaveOpen: true),
                "BR" => new BrotliStream(received, CompressionMode.Decompress, leaveOpen: true),
                "DEFLATE" => new ZLibStream(received, CompressionMode.Decompress, leaveOpen: true),
                _ => null,
            };
            if (decompressor is not null)
                return ServeDecompressedAsync(response, request, decompressor, received);
            response.Header.Set("Accept-Encoding", "br, gzip, deflate"); // RFC 9110, section 12.5.3
            return response.ErrorAsync(415);
        }

        private async ValueTask ServeDecompressedAsync(ResponseWriter response, Request request, Stream decompressor, CompressedContent received)
        {
            Stream body = request.Body;
            long length = request.ContentLength;
            if (length != 0)
            {
                request.Body = new DecompressedBody(decompressor, received, options);
                request.ContentLength = -1;
                request.Header.Remove("Content-Length");
            }
            request.Header.Remove("Content-Encoding");
            try
            {
                await inner.ServeHttpAsync(response, request);
            }
            finally
            {
                request.Body = body;
                request.ContentLength = length;
                await decompressor.DisposeAsync();
            }
        }
    }
}
