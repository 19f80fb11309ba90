using System.Globalization;

namespace NetGo.Http;

public static partial class Middleware
{
    /// <summary>Lets pages of other origins use a handler, by the CORS protocol (https://fetch.spec.whatwg.org, section 3.2); ASP.NET Core's
    /// UseCors. Preflights are answered here: with 204, and without permission where there is none. All other requests reach the handler:
    /// it is the browser that keeps a page from reading the answer. This is no protection against forged requests.</summary>
    /// <param name="handler">Who answers.</param>
    /// <param name="options">Who may.</param>
    /// <exception cref="ArgumentException">The options allow credentials to all origins, or hold a method or a name of a field that is none.</exception>
    public static IHandler WithCors(this IHandler handler, CorsOptions options)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(options);
        if (options.AllowCredentials && options.Origins.Contains("*"))
            throw new ArgumentException("Credentials must not be allowed to all origins: any page could act for its visitor. Name them.", nameof(options));
        foreach (string item in (string[])[.. options.Methods, .. options.Headers, .. options.ExposedHeaders])
        {
            if (item != "*" && !HttpSyntax.IsToken(item))
                throw new ArgumentException($"\"{item}\" is neither a method nor the name of a field.", nameof(options));
        }
        return new CorsHandler(handler, options);
    }

    private sealed class CorsHandler(IHandler inner, CorsOptions options) : IHandler
    {
        private readonly bool _allowsAll = options.Origins.Contains("*");
        private readonly string _methods = string.Join(", ", options.Methods);
        private readonly string _headers = string.Join(", ", options.Headers);
        private readonly string _exposed = string.Join(", ", options.ExposedHeaders);
        private readonly string? _maxAge = options.MaxAge is { } age ? ((long)age.TotalSeconds).ToString(CultureInfo.InvariantCulture) : null;

        public ValueTask ServeHttpAsync(ResponseWriter response, Request request)
        {
            HeaderFields header = response.Header;
            bool preflight = request.RawMethod.SequenceEqual("OPTIONS"u8) && request.Header.Contains("Origin") &&
                request.Header.Contains("Access-Control-Request-Method");
            if (preflight)
                header.Add("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
            else if (!_allowsAll)
                header.Add("Vary", "Origin"); // also for a request without one: a cache would give its answer to all
            bool allowed = Allow(request, header);
            if (!preflight)
            {
                if (allowed && _exposed.Length > 0)
                    header.Set("Access-Control-Expose-Headers", _exposed);
                return inner.ServeHttpAsync(response, request);
            }
            if (allowed)
                AnswerPreflight(header);
            response.WriteHeader(204);
            return default;
        }

        private bool Allow(Request request, HeaderFields header)
        {
            if (request.Header.GetAll("Origin") is not [string origin])
                return false;
            if (!_allowsAll && !options.Origins.Contains(origin) && options.IsAllowed?.Invoke(origin) != true)
                return false;
            header.Set("Access-Control-Allow-Origin", _allowsAll ? "*" : origin);
            if (options.AllowCredentials)
                header.Set("Access-Control-Allow-Credentials", "true");
            return true;
        }

        private void AnswerPreflight(HeaderFields header)
        {
            header.Set("Access-Control-Allow-Methods", _methods);
            if (_headers.Length > 0)
                header.Set("Access-Control-Allow-Headers", _headers);
            if (_maxAge is not null)
                header.Set("Access-Control-Max-Age", _maxAge);
        }
    }
}
