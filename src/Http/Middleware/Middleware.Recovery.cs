using Microsoft.Extensions.Logging;

namespace NetGo.Http;

public static partial class Middleware
{
    /// <summary>Turns what a handler throws into an answer: logs it, and answers with 500. When the response has begun, it is taken back
    /// if none of it has left yet, and else the connection is aborted, so that the client sees that the answer is not whole. What the server
    /// knows an answer for passes: <see cref="BadRequestException"/>, failures of the connection, and that there is no memory for requests.
    /// <para>The server does the same by itself; this lets what stands around it, an access log for example, see the answer, and may answer in
    /// another form.</para></summary>
    /// <param name="handler">What may throw.</param>
    /// <param name="logger">Where to.</param>
    /// <param name="answer">Makes the answer when the response has not begun. Null for a line of text.</param>
    public static IHandler WithRecovery(
        this IHandler handler, ILogger logger, Func<ResponseWriter, Request, Exception, ValueTask>? answer = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(logger);
        return new RecoveryHandler(handler, logger, answer ?? ((response, _, _) => response.ErrorAsync(500)));
    }

    private sealed class RecoveryHandler(IHandler inner, ILogger logger, Func<ResponseWriter, Request, Exception, ValueTask> answer) : IHandler
    {
        public async ValueTask ServeHttpAsync(ResponseWriter response, Request request)
        {
            Exception thrown;
            try
            {
                await inner.ServeHttpAsync(response, request);
                return;
            }
            catch (Exception e) when (e is not (IOException or InsufficientMemoryException))
            {
                thrown = e;
            }
            string method = LogText.Of(request.Method);
            string target = LogText.Of(request.Target);
            if (thrown is OperationCanceledException && request.Context.IsDone)
            {
                MiddlewareLog.HandlerCancelled(logger, method, target, thrown);
                throw Broken(thrown);
            }
            MiddlewareLog.HandlerFailed(logger, method, target, thrown);
            if (response.HeaderWritten)
                throw Broken(thrown);
            await answer(response, request, thrown);
        }

        // The server logs no IOException, and aborts or takes back the response.
        private static IOException Broken(Exception cause) => new("The handler failed after its response had begun.", cause);
    }
}
