using NetGo.Http;

namespace JsonApi;

/// <summary>Answers with problem+json.</summary>
internal static class Problems
{
    public static ValueTask AnswerAsync(ResponseWriter response, int status, string? detail, Dictionary<string, string[]>? errors = null)
    {
        response.Header.Set("Content-Type", "application/problem+json");
        response.WriteHeader(status);
        response.WriteJson(new Problem(TitleOf(status), status, detail, errors), ApiJson.Default.Problem);
        return default;
    }

    public static ValueTask MethodNotAllowedAsync(ResponseWriter response, string allow)
    {
        response.Header.Set("Allow", allow);
        return AnswerAsync(response, 405, $"The methods are {allow}.");
    }

    /// <summary>The answer to a request whose handler has failed. What failed is in the log, not in the answer.</summary>
    public static ValueTask AnswerFailureAsync(ResponseWriter response, Request request, Exception exception) =>
        AnswerAsync(response, 500, null);

    /// <summary>Answers for a handler that finds the content malformed, too long or of another type.</summary>
    public static IHandler ForBadRequests(IHandler handler) => new HandlerFunc(async (response, request) =>
    {
        try
        {
            await handler.ServeHttpAsync(response, request);
        }
        catch (BadRequestException e) when (!response.HeaderWritten)
        {
            await AnswerAsync(response, e.StatusCode, e.Message);
        }
    });

    private static string TitleOf(int status) => status switch
    {
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        507 => "Insufficient Storage",
        _ => "Internal Server Error",
    };
}
