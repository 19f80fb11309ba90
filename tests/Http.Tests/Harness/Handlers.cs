namespace NetGo.Http.Tests;

/// <summary>Handlers that many tests use.</summary>
internal static class Handlers
{
    public static ValueTask Ok(ResponseWriter response, Request request) => response.WriteAsync("ok");

    public static ValueTask Path(ResponseWriter response, Request request) => response.WriteAsync(request.Path);

    /// <summary>Answers with the content, once all of it has come.</summary>
    public static async ValueTask Echo(ResponseWriter response, Request request)
    {
        var content = new MemoryStream();
        await request.Body.CopyToAsync(content);
        await response.WriteAsync(content.ToArray());
    }

    /// <summary>Answers with the content piece by piece.</summary>
    public static async ValueTask Stream(ResponseWriter response, Request request)
    {
        byte[] buffer = new byte[10_000];
        int count;
        while ((count = await request.Body.ReadAsync(buffer)) > 0)
            await response.WriteAsync(buffer.AsMemory(0, count));
    }

    /// <summary>Answers with the method, the target and what the server made of it, one per line.</summary>
    public static ValueTask Describe(ResponseWriter response, Request request) =>
        response.WriteAsync(string.Join('\n', request.Method, request.Target, request.Path, request.Query, request.Host, request.Protocol));

    /// <summary>Answers with the values of field X in brackets.</summary>
    public static async ValueTask Fields(ResponseWriter response, Request request)
    {
        foreach (string value in request.Header.GetAll("X"))
            await response.WriteAsync("[" + value + "]");
    }
}
