using System.Globalization;
using System.Net;
using System.Text;

namespace NetGo.Diagnostics;

/// <summary>The pages of Go's net/http/pprof.</summary>
internal static class PprofEndpoints
{
    private static readonly ProfileGate s_cpu = new("A CPU profile");
    private static readonly ProfileGate s_allocations = new("A profile of allocations");
    private static readonly ProfileGate s_heap = new("A profile of the heap");

    public static IReadOnlyList<DebugEndpoint> All { get; } =
    [
        new("/pprof", "", static e => RedirectAsync(e)),
        new("/pprof/", "", static e => IndexAsync(e)),
        new("/pprof/allocs", "What is allocated in N seconds, and where: ?seconds=N", static e => AllocsAsync(e)),
        new("/pprof/block", "Where goroutines waited for others; off until BlockProfile.SetRate", static e => ProfileAsync(e, "contention", BlockProfile.Snapshot()))
        {
            Count = static _ => BlockProfile.Snapshot().Samples.Count,
        },
        new("/pprof/cmdline", "The command line of this process", static e => CmdlineAsync(e)),
        new("/pprof/goroutine", "The stacks of all goroutines: ?debug=1 the same ones together, ?debug=2 each one", static e => GoroutineAsync(e))
        {
            Count = static e => e.Scheduler.GoroutineCount,
        },
        new("/pprof/heap", "Objects on the heap by type, after a full collection for which all threads wait", static e => HeapAsync(e)),
        new("/pprof/mutex", "Who made others wait for a lock; off until MutexProfile.SetFraction", static e => ProfileAsync(e, "mutex", MutexProfile.Snapshot()))
        {
            Count = static _ => MutexProfile.Snapshot().Samples.Count,
        },
        new("/pprof/profile", "Where the CPU's time goes in N seconds: ?seconds=N", static e => CpuAsync(e)),
        new("/pprof/threadcreate", "The system's threads, by name", static e => ProfileAsync(e, "threadcreate", ThreadProfile.Take()))
        {
            Count = static _ => ThreadProfile.Take().Total(0),
        },
        new("/pprof/trace", "What goroutines and processors do in N seconds, for go tool trace: ?seconds=N, or &format=perfetto", static e => TraceEndpoint.ServeAsync(e)),
    ];

    private static ValueTask RedirectAsync(DebugExchange exchange)
    {
        exchange.Begin(301, "text/plain; charset=utf-8", ("Location", "pprof/"));
        return default;
    }

    private static ValueTask IndexAsync(DebugExchange exchange)
    {
        var html = new StringBuilder("""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Profiles</title>
            <style>
            :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
            body { margin: 2rem auto; max-width: 50rem; padding: 0 1rem; }
            td, th { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
            td:first-child { text-align: right; font-variant-numeric: tabular-nums; }
            </style>
            </head>
            <body>
            <main>
            <h1>Profiles</h1>
            <table>
            <thead><tr><th scope="col">Count</th><th scope="col">Profile</th><th scope="col">What it is</th></tr></thead>
            <tbody>

            """);
        foreach (DebugEndpoint endpoint in DebugEndpoints.All.Where(static e => e.Description.Length > 0))
        {
            string name = WebUtility.HtmlEncode(endpoint.Path[(endpoint.Path.LastIndexOf('/') + 1)..]);
            string link = WebUtility.HtmlEncode(exchange.Prefix + endpoint.Path);
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{endpoint.Count?.Invoke(exchange)}</td>");
            html.Append(CultureInfo.InvariantCulture, $"<td><a href=\"{link}{(endpoint.Count is null ? "" : "?debug=1")}\">{name}</a></td>");
            html.Append(CultureInfo.InvariantCulture, $"<td>{WebUtility.HtmlEncode(endpoint.Description)}</td></tr>\n");
        }
        string all = WebUtility.HtmlEncode(exchange.Prefix + "/pprof/goroutine?debug=2");
        html.Append(CultureInfo.InvariantCulture, $"</tbody>\n</table>\n<p><a href=\"{all}\">The stack of each goroutine</a></p>\n");
        html.Append("<p>Without <code>debug</code> they are for <code>go tool pprof</code>.</p>\n</main>\n</body>\n</html>\n");
        return exchange.TextAsync(200, html.ToString(), "text/html; charset=utf-8");
    }

    private static ValueTask CmdlineAsync(DebugExchange exchange) =>
        exchange.TextAsync(200, string.Join('\0', Environment.GetCommandLineArgs()));

    private static async ValueTask GoroutineAsync(DebugExchange exchange)
    {
        int debug = exchange.NumberOf("debug", 0, 0, 2);
        GoroutineListing listing = await GoroutineListing.TakeAsync(exchange.Scheduler, withThreads: debug != 0, exchange.Request.Aborted);
        if (debug != 2)
        {
            await ProfileAsync(exchange, "goroutine", listing.ToProfile());
            return;
        }
        var text = new StringWriter(CultureInfo.InvariantCulture);
        if (listing.Note is not null)
            text.Write($"# {listing.Note}\n\n");
        GoroutineDump.Write(text, listing.Goroutines);
        await exchange.TextAsync(200, text.ToString());
    }

    private static async ValueTask HeapAsync(DebugExchange exchange)
    {
        exchange.NumberOf("debug", 0, 0, 2);
        using (s_heap.Enter())
            await ProfileAsync(exchange, "heap", await HeapProfiler.ProfileAsync(exchange.Request.Aborted));
    }

    private static async ValueTask CpuAsync(DebugExchange exchange)
    {
        TimeSpan duration = exchange.Duration();
        using (s_cpu.Enter())
            await ProfileAsync(exchange, "profile", await CpuProfiler.ProfileAsync(duration, exchange.Request.Aborted));
    }

    private static async ValueTask AllocsAsync(DebugExchange exchange)
    {
        TimeSpan duration = exchange.Duration();
        using (s_allocations.Enter())
            await ProfileAsync(exchange, "allocs", await AllocationProfiler.ProfileAsync(duration, exchange.Request.Aborted));
    }

    // With debug as text, otherwise for the tool.
    private static async ValueTask ProfileAsync(DebugExchange exchange, string name, Profile profile)
    {
        if (exchange.NumberOf("debug", 0, 0, 2) > 0)
        {
            var text = new StringWriter(CultureInfo.InvariantCulture);
            profile.WriteText(text, name);
            await exchange.TextAsync(200, text.ToString());
            return;
        }
        var gzipped = new MemoryStream();
        await profile.WriteGzippedAsync(gzipped, exchange.Request.Aborted);
        exchange.Begin(200, "application/octet-stream", ("Content-Disposition", $"attachment; filename=\"{name}.pb.gz\""));
        await exchange.WriteAsync(gzipped.GetBuffer().AsMemory(0, (int)gzipped.Length));
    }
}
