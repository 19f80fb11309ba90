namespace NetGo.Http;

/// <summary>Answers HTTP requests; Go's http.Handler.</summary>
public interface IHandler
{
    /// <summary>Answers one request. Runs as part of the connection's goroutine: it may await, and may block its thread, which
    /// costs this request only. When it ends without having written anything, the answer is an empty 200; when it throws,
    /// 500.</summary>
    /// <param name="response">Where the answer goes. Not to be used after the handler has ended.</param>
    /// <param name="request">What was asked. Not to be used after the handler has ended.</param>
    ValueTask ServeHttpAsync(ResponseWriter response, Request request);
}
