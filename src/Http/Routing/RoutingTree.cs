using System.Runtime.CompilerServices;

namespace NetGo.Http;

/// <summary>
/// Finds what is registered for the pattern that matches a request best, by the rules of Go 1.22's net/http.ServeMux.
/// </summary>
/// <remarks>
/// The rules: a pattern with the request's host goes before one without a host; then the more specific one wins, that is,
/// the one that matches a part of what the other matches. Two patterns of which neither is the more specific cannot both be
/// registered. Thread-safe: <see cref="Add"/> takes a lock, <see cref="Match"/> does not, except the first one after an
/// Add, which rearranges all routes; so add first and serve then.
/// </remarks>
internal sealed class RoutingTree<T>
    where T : class
{
    /// <summary>
    /// The status of a redirect: 307 Temporary Redirect, which keeps the method and the content, as in Go since 1.26. Up to
    /// 1.25 it was 301.
    /// </summary>
    public const int RedirectStatusCode = 307;

    private readonly Lock _lock = new();
    private readonly List<Route<T>> _routes = [];

    // Null when _routes has changed since it was made. Written under _lock, read without.
    private volatile RoutingTable<T>? _table;

    /// <summary>Registers a value for a pattern.</summary>
    /// <exception cref="InvalidOperationException">The pattern conflicts with one that is registered already.</exception>
    public void Add(Pattern pattern, T value)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentNullException.ThrowIfNull(value);
        var route = new Route<T>(pattern, value);
        lock (_lock)
        {
            foreach (Route<T> present in _routes)
            {
                if (PatternComparison.Conflict(pattern, present.Pattern))
                    throw new InvalidOperationException(PatternConflict.Describe(pattern, present.Pattern));
            }

            _routes.Add(route);
            _table = null;
        }
    }

    /// <summary>
    /// Finds the route of a request. Allocates nothing when there is one or when there is none for any method, once
    /// <paramref name="match"/> has grown to what the patterns need.
    /// </summary>
    /// <param name="method">The method.</param>
    /// <param name="host">The Host field, or the host of an absolute-form target; may have a port, may be empty.</param>
    /// <param name="path">
    /// The path of the target, escaped as it came and without the query. The asterisk of <c>OPTIONS *</c> is no path: answer
    /// that before.
    /// </param>
    /// <param name="match">Takes the pattern, the values of its wildcards, the redirect's path and the allowed methods.</param>
    /// <param name="value">What is registered, on <see cref="RouteOutcome.Found"/>.</param>
    public RouteOutcome Match(
        ReadOnlySpan<byte> method, ReadOnlySpan<byte> host, ReadOnlySpan<byte> path, PathMatch match, out T? value)
    {
        match.Reset();
        RoutingTable<T> table = _table ?? Rearrange();
        HostRoutes<T>? own = table.FindHost(host);
        if ((own ?? table.AnyHost).Exact.Find(path)?.Find(method) is { } route)
        {
            match.SetFound(route.Pattern);
            value = route.Value;
            return RouteOutcome.Found;
        }

        return MatchInTree(own?.Root, table.AnyHost.Root, method, path, match, out value);
    }

    private static RouteOutcome MatchInTree(
        PathNode<T>? own, PathNode<T> anyHost, ReadOnlySpan<byte> method, ReadOnlySpan<byte> path, PathMatch match, out T? value)
    {
        value = null;
        bool clean = method.SequenceEqual("CONNECT"u8) || RequestPath.IsClean(path);
        if (!clean)
            path = RequestPath.Clean(path);
        if (path.IsEmpty || path[0] != '/')
            return RouteOutcome.NotFound;

        var walk = new PathWalk<T>(path, method, match);
        Route<T>? route = walk.Find(own, anyHost);
        if (!(route is not null && walk.Exact) && path[^1] != '/')
        {
            // /tree is redirected to /tree/ if that is in the tree by name, even when a wider pattern matches /tree.
            walk.AppendSlash = true;
            if (walk.Find(own, anyHost) is { } subtree && walk.Exact)
            {
                // Clean even for CONNECT: a client would read a path that begins with two slashes as a host.
                match.SetRedirect(subtree.Pattern, PercentEncoding.EscapePath(RequestPath.Clean(path)) + "/");
                return RouteOutcome.Redirect;
            }
        }

        if (!clean)
        {
            match.SetRedirect(route?.Pattern, PercentEncoding.EscapePath(path));
            return RouteOutcome.Redirect;
        }

        if (route is not null)
        {
            match.SetFound(route.Pattern);
            value = route.Value;
            return RouteOutcome.Found;
        }

        if (walk.FindMethods(own, anyHost) is not { } methods)
            return RouteOutcome.NotFound;
        match.SetAllowedMethods(methods);
        return RouteOutcome.MethodNotAllowed;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private RoutingTable<T> Rearrange()
    {
        lock (_lock)
            return _table ??= new RoutingTable<T>(_routes);
    }
}
