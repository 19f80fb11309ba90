namespace NetGo.Http.Tests.Proxy;

/// <summary>A server whose handler is a proxy.</summary>
internal sealed class ProxyServer : IAsyncDisposable
{
    public ProxyServer(Uri target, Action<ReverseProxy>? configure = null, Action<Server>? server = null, TlsOptions? tls = null)
        : this(ReverseProxy.To(target), configure, server, tls)
    {
    }

    public ProxyServer(Action<ProxyRequest> rewrite, Action<ReverseProxy>? configure = null)
        : this(new ReverseProxy(rewrite), configure)
    {
    }

    private ProxyServer(ReverseProxy proxy, Action<ReverseProxy>? configure, Action<Server>? server = null, TlsOptions? tls = null)
    {
        Proxy = proxy;
        proxy.Logger = Log;
        configure?.Invoke(proxy);
        Front = new TestServer(proxy, server, tls: tls);
    }

    public ReverseProxy Proxy { get; }

    public MemoryLogger Log { get; } = new();

    public TestServer Front { get; }

    public RawClient Connect() => Front.Connect();

    public RawResponse Exchange(string request) => Front.Exchange(request);

    public static Uri UrlOf(TestServer backend) => new($"http://{backend.EndPoint}/");

    public async ValueTask DisposeAsync()
    {
        Proxy.Dispose();
        await Front.DisposeAsync();
    }
}
