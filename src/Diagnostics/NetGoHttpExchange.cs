using System.Net;
using NetGo.Http;

namespace NetGo.Diagnostics;

/// <summary>A debugging page on NetGo.Http.</summary>
internal sealed class NetGoHttpExchange(ResponseWriter response, Request request) : DebugExchange
{
    public override DebugRequest Request { get; } = new NetGoHttpRequest(request);

    public override void Begin(int status, string contentType, params ReadOnlySpan<(string Name, string Value)> fields)
    {
        response.Header.Set("Content-Type", contentType);
        response.Header.Set("X-Content-Type-Options", "nosniff");
        response.Header.Set("Cache-Control", "no-store");
        foreach ((string name, string value) in fields)
            response.Header.Set(name, value);
        response.WriteHeader(status);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> content) => response.WriteAsync(content, request.Aborted);

    private sealed class NetGoHttpRequest(Request request) : DebugRequest
    {
        public override string Method => request.Method;

        public override string Path => request.Path;

        public override EndPoint? RemoteEndPoint => request.RemoteEndPoint;

        public override string Host => request.Host;

        public override CancellationToken Aborted => request.Aborted;

        public override string? HeaderOf(string name) => request.Header.Contains(name) ? request.Header.Get(name) : null;

        public override string? QueryOf(string name) => UrlQuery.Of(request.Query, name);
    }
}
