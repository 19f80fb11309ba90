using System.Text;

namespace NetGo.Http;

/// <summary>All routes at one moment, arranged for matching. Only read once it is published.</summary>
internal sealed class RoutingTable<T>
    where T : class
{
    private readonly LiteralTable<HostRoutes<T>> _hosts = new();

    public RoutingTable(IEnumerable<Route<T>> routes)
    {
        foreach (Route<T> route in routes)
            RoutesOf(route.Pattern.Host).Add(route);
    }

    /// <summary>The routes without a host.</summary>
    public HostRoutes<T> AnyHost { get; } = new();

    /// <summary>The routes with this host, null if there are none.</summary>
    /// <param name="host">A Host field, in any case, with or without a port.</param>
    public HostRoutes<T>? FindHost(ReadOnlySpan<byte> host)
    {
        if (_hosts.Count == 0)
            return null;
        ReadOnlySpan<byte> name = HostName.StripPort(host);
        if (name.Length > _hosts.LongestKey)
            return null;
        Span<byte> lower = stackalloc byte[HostName.MaxLength];
        for (int i = 0; i < name.Length; i++)
            lower[i] = (byte)(name[i] is >= (byte)'A' and <= (byte)'Z' ? name[i] | 0x20 : name[i]);
        return _hosts.Find(lower[..name.Length]);
    }

    private HostRoutes<T> RoutesOf(string host)
    {
        if (host.Length == 0)
            return AnyHost;
        byte[] key = Encoding.ASCII.GetBytes(host);
        if (_hosts.Find(key) is { } routes)
            return routes;
        routes = new HostRoutes<T>();
        _hosts.Add(key, routes);
        return routes;
    }
}
