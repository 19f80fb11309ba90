using NetGo.Http;

namespace Tls;

/// <summary>Sends clients to the same URL with https, on another port.</summary>
internal sealed class HttpsRedirect(string secureAddress) : IHandler
{
    private readonly string _port = secureAddress[(secureAddress.LastIndexOf(':') + 1)..];

    public ValueTask ServeHttpAsync(ResponseWriter response, Request request)
    {
        string host = HostWithoutPort(request.Host);
        if (host.Length == 0) // HTTP/1.0 need not say
            return response.ErrorAsync(400, "The request says no host to redirect to.");
        string port = _port == "443" ? "" : $":{_port}";
        string path = request.Target.StartsWith('/') ? request.Target : "/"; // OPTIONS *, or a URL, which only a proxy is sent
        return response.RedirectAsync(request, $"https://{host}{port}{path}", 308);
    }

    // "[::1]:80" has colons within.
    private static string HostWithoutPort(string host)
    {
        int colon = host.LastIndexOf(':');
        return colon > host.LastIndexOf(']') ? host[..colon] : host;
    }
}
