using System.Net;
using Microsoft.AspNetCore.Http;
using NetGo.Diagnostics;

namespace NetGo.Kestrel;

/// <summary>A debugging page in ASP.NET Core.</summary>
internal sealed class HttpContextExchange(HttpContext context) : DebugExchange
{
    public override DebugRequest Request { get; } = new HttpContextRequest(context);

    /// <summary>What is before the page's own path: that of a group of routes, or of the application, and "/debug".</summary>
    public static string PrefixOf(HttpRequest request)
    {
        string path = request.PathBase.Value + request.Path.Value;
        int start = path.LastIndexOf(DebugEndpoints.DefaultPrefix + "/", StringComparison.OrdinalIgnoreCase);
        return start < 0 ? DebugEndpoints.DefaultPrefix : path[..(start + DebugEndpoints.DefaultPrefix.Length)];
    }

    public override void Begin(int status, string contentType, params ReadOnlySpan<(string Name, string Value)> fields)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.CacheControl = "no-store";
        foreach ((string name, string value) in fields)
            context.Response.Headers[name] = value;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> content) => await context.Response.BodyWriter.WriteAsync(content, context.RequestAborted);

    private sealed class HttpContextRequest(HttpContext context) : DebugRequest
    {
        public override string Method => context.Request.Method;

        public override string Path => context.Request.PathBase.Value + context.Request.Path.Value;

        public override EndPoint? RemoteEndPoint =>
            context.Connection.RemoteIpAddress is { } address ? new IPEndPoint(address, context.Connection.RemotePort) : null;

        public override string Host => context.Request.Host.Value ?? "";

        public override CancellationToken Aborted => context.RequestAborted;

        public override string? HeaderOf(string name) => context.Request.Headers.TryGetValue(name, out var values) ? values.ToString() : null;

        public override string? QueryOf(string name) => context.Request.Query.TryGetValue(name, out var values) ? values[0] : null;
    }
}
