using NetGo.Diagnostics;

namespace NetGo.Http;

/// <summary>The debugging pages on NetGo.Http.</summary>
public static class ServeMuxDebugExtensions
{
    /// <summary>Serves the profiles of Go's net/http/pprof under /debug/pprof/: goroutines, heap, allocations, CPU, threads, blocking. They tell
    /// secrets: unless <see cref="DebugOptions.Authorize"/> says otherwise they are for clients on this machine.</summary>
    /// <param name="mux">Where to.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">One of the options is out of its range.</exception>
    public static void HandleDebug(this ServeMux mux, DebugOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(mux);
        options ??= new DebugOptions();
        options.Validate();
        mux.HandleFunc($"{DebugEndpoints.DefaultPrefix}/", (response, request) => DebugEndpoints.ServeAsync(
            new NetGoHttpExchange(response, request) { Options = options, Prefix = DebugEndpoints.DefaultPrefix }));
    }
}
