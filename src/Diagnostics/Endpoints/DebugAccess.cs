using System.Net;

namespace NetGo.Diagnostics;

// Who is let in when nobody has said who is: a person, or a tool, on this machine.
//
// That the connection comes from this machine is not enough. A browser on it runs the pages of others, which may ask for any address: by
// name (the other's name resolves to 127.0.0.1: DNS rebinding), which Host tells; or across sites, which Origin and Sec-Fetch-Site tell. And a
// reverse proxy connects for everybody: those that say so are seen by what they add.
internal static class DebugAccess
{
    private static readonly string[] s_fieldsOfProxies = [
        "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Real-IP", "Via",
        "X-Original-For", "X-Original-Host", "X-Original-Proto", "X-Original-Prefix", // what ASP.NET Core makes of them
    ];

    /// <summary>Why a request is refused; null when it is not.</summary>
    public static string? Refuses(DebugRequest request)
    {
        if (request.RemoteEndPoint is not IPEndPoint remote)
            return "Nobody knows where this connection comes from: set DebugOptions.Authorize.";
        if (!IsLoopback(remote.Address))
            return "These pages are for clients on this machine: set DebugOptions.Authorize to let others in.";
        if (!IsNameOfThisMachine(request.Host))
            return "These pages are to be asked for as localhost, or by a loopback address.";
        if (Array.Find(s_fieldsOfProxies, field => request.HeaderOf(field) is not null) is { } proxied)
            return $"These pages are not for clients of a proxy ({proxied}): set DebugOptions.Authorize to let them in.";
        if (request.HeaderOf("Origin") is { } origin && !IsOwnOrigin(origin, request.Host))
            return "These pages are not for other sites.";
        if (request.HeaderOf("Sec-Fetch-Site") is { } site && site is not ("same-origin" or "none"))
            return "These pages are not for other sites.";
        return null;
    }

    private static bool IsLoopback(IPAddress address) => IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);

    private static bool IsNameOfThisMachine(string host)
    {
        string name = HostWithoutPort(host);
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(name, out IPAddress? address) && IsLoopback(address));
    }

    private static string HostWithoutPort(string host)
    {
        if (host.StartsWith('['))
            return host.IndexOf(']', StringComparison.Ordinal) is var end and > 0 ? host[1..end] : "";
        int colon = host.LastIndexOf(':');
        return colon < 0 ? host : host[..colon];
    }

    private static bool IsOwnOrigin(string origin, string host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri) && uri.Authority.Equals(host, StringComparison.OrdinalIgnoreCase);
}
