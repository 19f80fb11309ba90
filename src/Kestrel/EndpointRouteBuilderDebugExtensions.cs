using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using NetGo.Diagnostics;
using NetGo.Kestrel;

namespace Microsoft.AspNetCore.Builder;

/// <summary>NetGo's debugging pages in ASP.NET Core.</summary>
public static class EndpointRouteBuilderDebugExtensions
{
    /// <summary>Serves the profiles of Go's net/http/pprof under /debug/pprof/: goroutines, heap, allocations, CPU, threads, blocking; with or
    /// without <c>UseNetpoll</c>. They tell secrets: unless <see cref="DebugOptions.Authorize"/> says otherwise they are for clients on this
    /// machine; RequireAuthorization on what this returns comes on top of that.</summary>
    /// <param name="endpoints">The application, or a group of its routes.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">One of the options is out of its range.</exception>
    public static IEndpointConventionBuilder MapNetGoDebug(this IEndpointRouteBuilder endpoints, DebugOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        options ??= new DebugOptions();
        options.Validate();
        RequestDelegate serve = context => DebugEndpoints.ServeAsync(
            new HttpContextExchange(context) { Options = options, Prefix = HttpContextExchange.PrefixOf(context.Request) }).AsTask();
        return endpoints.Map($"{DebugEndpoints.DefaultPrefix}/{{**page}}", serve).WithDisplayName("NetGo's debugging pages");
    }
}
