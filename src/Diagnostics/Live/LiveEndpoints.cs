using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;

namespace NetGo.Diagnostics;

// The live page, what it is made of, and its figures.
//
// The page asks for its figures once a second. Server-sent events would save it the asking, and would cost a connection and a goroutine for each viewer
// that are among what the page shows, and a shutdown that has to wait for them; so asked for, a viewer that has gone needs no finding out, and one
// that pauses or hides the page costs nothing.
internal static class LiveEndpoints
{
    // Nothing but what it has come with, and nobody's markup but its own: scripts cannot make any from strings.
    private const string Policy =
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
        + "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    public static IReadOnlyList<DebugEndpoint> All { get; } =
    [
        new("/netgo", "The scheduler, live: processors, goroutines, requests, a timeline", static e => PageAsync(e)),
        new("/netgo/", "", static e => RedirectAsync(e)),
        new("/netgo/data", "", static e => DataAsync(e)),
        new("/netgo/trace", "", static e => TraceEndpoint.ServeAsync(e)),
        .. LiveAsset.All.Select(static asset => new DebugEndpoint($"/netgo/{asset.Name}", "", e => AssetAsync(e, asset))),
    ];

    private static ValueTask PageAsync(DebugExchange exchange)
    {
        string nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));
        exchange.Begin(
            200, "text/html; charset=utf-8", ("Content-Security-Policy", Policy.Replace("{nonce}", nonce, StringComparison.Ordinal)),
            ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Opener-Policy", "same-origin"));
        return exchange.WriteAsync(LiveAsset.PageWith(nonce));
    }

    // The page asks for what it needs beside itself.
    private static ValueTask RedirectAsync(DebugExchange exchange)
    {
        exchange.Begin(301, "text/plain; charset=utf-8", ("Location", "../netgo"));
        return default;
    }

    private static ValueTask AssetAsync(DebugExchange exchange, LiveAsset asset)
    {
        exchange.Begin(200, asset.ContentType);
        return exchange.WriteAsync(asset.Content);
    }

    private static ValueTask DataAsync(DebugExchange exchange)
    {
        int after = exchange.NumberOf("after", 0, 0, int.MaxValue);
        bool withTimeline = exchange.NumberOf("timeline", 0, 0, 1) == 1;
        var json = new ArrayBufferWriter<byte>(16 * 1024);
        LiveCollector.Of(exchange.Scheduler).View(json, after, withTimeline);
        exchange.Begin(200, "application/json");
        return exchange.WriteAsync(json.WrittenMemory);
    }
}
