using System.Globalization;
using Microsoft.Extensions.Logging;

namespace NetGo.Http;

public static partial class Middleware
{
    /// <summary>Logs every request when it has been answered: the client's address, the request line, the status, the bytes of content that
    /// the handler wrote (none is sent for HEAD), the time it took, and what is in Referer, User-Agent and the response's X-Request-Id. What
    /// the client sent is escaped and cut off at 1,024 characters, so that it can forge no entry. The status of a handler that threw is the one
    /// the server answers with, if it can.</summary>
    /// <param name="handler">Whose answers are logged.</param>
    /// <param name="logger">Where to. Nothing is measured when it does not take the level.</param>
    /// <param name="options">Null for the defaults.</param>
    public static IHandler WithAccessLog(this IHandler handler, ILogger logger, AccessLogOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(logger);
        return new AccessLogHandler(handler, logger, options ?? new AccessLogOptions());
    }

    private sealed class AccessLogHandler(IHandler inner, ILogger logger, AccessLogOptions options) : IHandler
    {
        public ValueTask ServeHttpAsync(ResponseWriter response, Request request) => logger.IsEnabled(options.Level)
            ? ServeLoggedAsync(response, request)
            : inner.ServeHttpAsync(response, request);

        private async ValueTask ServeLoggedAsync(ResponseWriter response, Request request)
        {
            string address = ClientAddress.Of(request)?.ToString() ?? "-"; // now: the handler may take the connection over
            long start = options.Time.GetTimestamp();
            var writer = new CountingResponseWriter(response);
            int status = 500;
            try
            {
                await inner.ServeHttpAsync(writer, request);
                status = writer.StatusCode;
            }
            catch (BadRequestException e)
            {
                status = e.StatusCode;
                throw;
            }
            finally
            {
                if (options.Filter is not { } filter || filter(request))
                    Log(writer, request, address, status, options.Time.GetElapsedTime(start));
            }
        }

        private void Log(CountingResponseWriter response, Request request, string address, int status, TimeSpan elapsed)
        {
            string method = LogText.Of(request.Method);
            string target = request.Target;
            if (!options.IncludeQuery && target.IndexOf('?', StringComparison.Ordinal) is var query and >= 0)
                target = target[..query];
            target = LogText.Of(target);
            string referer = LogText.Of(request.Referer);
            string userAgent = LogText.Of(request.UserAgent);
            if (options.Format == AccessLogFormat.Structured)
            {
                string host = LogText.Of(request.Host);
                string requestId = LogText.Of(response.Header.Get(RequestIdField));
                MiddlewareLog.Served(
                    logger, options.Level, address, method, target, request.Protocol, host, status, response.Count,
                    elapsed.TotalMilliseconds, referer, userAgent, requestId);
                return;
            }
            string time = options.Time.GetLocalNow().ToString("dd/MMM/yyyy:HH:mm:ss zzz", CultureInfo.InvariantCulture);
            time = time.Remove(time.Length - 3, 1); // +01:00 without its colon
            string bytes = response.Count > 0 ? response.Count.ToString(CultureInfo.InvariantCulture) : "-";
            string line = string.Create(
                CultureInfo.InvariantCulture, $"{address} - - [{time}] \"{method} {target} {request.Protocol}\" {status} {bytes}");
            if (options.Format == AccessLogFormat.Combined)
                line += $" \"{referer}\" \"{userAgent}\"";
            MiddlewareLog.ServedLine(logger, options.Level, line);
        }
    }
}
