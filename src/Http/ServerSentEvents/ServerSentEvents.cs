namespace NetGo.Http;

/// <summary>Server-sent events (the HTML standard, section 9.2).</summary>
public static class ServerSentEvents
{
    /// <summary>Begins a response of events: text/event-stream, not to be cached, and not to be held back by nginx. Its head is
    /// sent at once, so that the browser knows that it is connected.</summary>
    /// <param name="response">Other fields may have been set.</param>
    /// <param name="request">The request: the stream ends with its <see cref="Request.Aborted"/>.</param>
    /// <param name="keepAliveInterval">How long the stream may be silent before a comment is sent, which keeps what lies between
    /// from closing it, and shows that the client is still there. 15 s by default, as the standard recommends;
    /// <see cref="Timeout.InfiniteTimeSpan"/> for none.</param>
    /// <returns>The stream, to be disposed of before the handler ends.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The interval is not positive.</exception>
    /// <exception cref="InvalidOperationException">The response has begun.</exception>
    /// <exception cref="IOException">The connection failed.</exception>
    public static async ValueTask<EventStreamWriter> StartServerSentEventsAsync(
        this ResponseWriter response, Request request, TimeSpan? keepAliveInterval = null)
    {
        ArgumentNullException.ThrowIfNull(response);
        ArgumentNullException.ThrowIfNull(request);
        TimeSpan interval = keepAliveInterval ?? TimeSpan.FromSeconds(15);
        if (interval != Timeout.InfiniteTimeSpan)
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(interval, TimeSpan.Zero, nameof(keepAliveInterval));
        if (response.HeaderWritten)
            throw new InvalidOperationException("Events cannot be sent any more: the response has begun.");
        HeaderFields header = response.Header;
        header.Set("Content-Type", "text/event-stream");
        header.Set("Cache-Control", "no-cache");
        header.Set("X-Accel-Buffering", "no");
        header.Remove("Content-Length");
        response.WriteHeader(200);
        await response.FlushAsync();
        return new EventStreamWriter(response, interval, request.Aborted);
    }
}
