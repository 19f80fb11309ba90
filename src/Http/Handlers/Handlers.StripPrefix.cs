using System.Text;

namespace NetGo.Http;

public static partial class Handlers
{
    /// <summary>Takes a prefix off the path that a handler sees; Go's http.StripPrefix. A path that does not begin with it is answered with
    /// 404. Unlike Go's it ends where a segment ends: "/static" is no prefix of "/statics", and leaves "/" of "/static". It is compared
    /// with the path decoded, but an escaped slash is none. Target stays as it was, what an outer <see cref="ServeMux"/> has matched can still
    /// be asked for with PathValue, and an inner one redirects to paths with the prefix.</summary>
    /// <param name="prefix">Begins with a slash, not escaped. A slash at its end means nothing.</param>
    /// <param name="handler">Who answers.</param>
    /// <exception cref="ArgumentException">The prefix does not begin with a slash.</exception>
    public static IHandler StripPrefix(string prefix, IHandler handler)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentNullException.ThrowIfNull(handler);
        if (prefix.Length > 0 && prefix[0] != '/')
            throw new ArgumentException($"The prefix \"{prefix}\" must begin with a slash, as every path does.", nameof(prefix));
        prefix = prefix.TrimEnd('/');
        return prefix.Length == 0 ? handler : new StripPrefixHandler(Encoding.UTF8.GetBytes(prefix), handler);
    }

    private sealed class StripPrefixHandler(byte[] prefix, IHandler inner) : IHandler
    {
        public ValueTask ServeHttpAsync(ResponseWriter response, Request request)
        {
            int length = Match(request.RawPath);
            return length < 0 ? response.ErrorAsync(404) : ServeStrippedAsync(response, request, length);
        }

        // How long the prefix is in this path, as it was sent; -1 when it is not there.
        private int Match(ReadOnlySpan<byte> path)
        {
            int position = 0;
            Span<byte> decoded = stackalloc byte[1];
            foreach (byte expected in prefix)
            {
                if (position >= path.Length)
                    return -1;
                int length = 1;
                decoded[0] = path[position];
                if (decoded[0] == '%' && path.Length - position >= 3 &&
                    PercentEncoding.Decode(path.Slice(position, 3), decoded, out _) == System.Buffers.OperationStatus.Done)
                {
                    length = 3;
                    if (decoded[0] == '/')
                        return -1;
                }
                if (decoded[0] != expected)
                    return -1;
                position += length;
            }
            return position == path.Length || path[position] == '/' ? position : -1;
        }

        private async ValueTask ServeStrippedAsync(ResponseWriter response, Request request, int length)
        {
            request.StripPath(length);
            try
            {
                await inner.ServeHttpAsync(response, request);
            }
            finally
            {
                request.RestorePath();
            }
        }
    }
}
