namespace NetGo.Http;

public static partial class Handlers
{
    /// <summary>Gives a handler so much time, and answers with 503 when it has not ended by then; Go's http.TimeoutHandler.
    /// <see cref="Request.Context"/> has the deadline, reads of the content are cancelled by it, and what the handler writes later throws
    /// <see cref="TimeoutException"/>. The connection ends after that 503, but only when the handler has ended: it should heed its context.
    /// What it throws after the time is not reported.
    /// <para>As in Go, the whole answer is kept in memory until the handler has ended: no flushing, trailer, informational responses, deadlines
    /// or hijacking. Not for streams, nor for long files.</para></summary>
    /// <param name="handler">Who answers. It runs in a goroutine of its own.</param>
    /// <param name="timeout">How long.</param>
    /// <param name="text">The line of the 503; null for its reason phrase.</param>
    public static IHandler Timeout(IHandler handler, TimeSpan timeout, string? text = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        return new TimeoutHandler(handler, timeout, text);
    }

    private sealed class TimeoutHandler(IHandler inner, TimeSpan timeout, string? text) : IHandler
    {
        public async ValueTask ServeHttpAsync(ResponseWriter response, Request request)
        {
            Context outerContext = request.Context;
            Stream outerBody = request.Body;
            using CancelContext context = Context.WithTimeout(outerContext, timeout);
            var body = new TimedContent(outerBody, context.Token);
            var writer = new TimedResponseWriter(request.IsHead);
            request.Context = context;
            request.Body = body;
            try
            {
                Task handling = Go.RunAsync(async () => await inner.ServeHttpAsync(writer, request));
                await Task.WhenAny(handling, context.WaitDoneAsync().AsTask());
                // One that fails after its time most often does so because of that.
                if (!handling.IsCompletedSuccessfully && context.Err is ContextDeadlineExceededException)
                    await AnswerInPlaceAsync(response, writer, body, handling);
                else
                    await handling;
            }
            finally
            {
                request.Body = outerBody;
                request.Context = outerContext;
            }
            if (!writer.IsTooLate)
                await writer.SendAsync(response);
        }

        private async ValueTask AnswerInPlaceAsync(ResponseWriter response, TimedResponseWriter writer, TimedContent body, Task handling)
        {
            writer.IsTooLate = true;
            try
            {
                // A read that is under way may have to send 100 (Continue), and uses the buffers that the answer needs.
                await body.CloseAsync();
                response.Header.Set("Connection", "close");
                await response.ErrorAsync(503, text);
                await response.FlushAsync();
            }
            finally
            {
                // The request is a view that is used again. What it threw is about an answer that nobody gets.
                await handling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            }
        }
    }
}
