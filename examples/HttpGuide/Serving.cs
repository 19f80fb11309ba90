using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using NetGo.Http;
using NetGo.Http.Testing;
using NetGo.Netpoll;

namespace HttpGuide;

internal static class Serving
{
    public static async Task ServerAsync()
    {
        using NetListener listener = NetListener.Listen("127.0.0.1:0");
        using var client = new HttpClient();
        // snippet: server
        var mux = new ServeMux();
        mux.HandleFunc("GET /hello/{name}", (w, r) => w.WriteAsync($"Hello, {r.PathValue("name")}!"));

        var server = new Server
        {
            Handler = mux,
            ReadTimeout = TimeSpan.FromSeconds(10),
            MaxRequestBodySize = 1_000_000,
        };
        Task serving = server.ServeAsync(listener);                   // or ListenAndServeAsync(), at server.Address
        Console.WriteLine(await client.GetStringAsync($"http://{listener.LocalEndPoint}/hello/gopher"));

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await server.ShutdownAsync(patience.Token);                   // accepts no more, waits for the requests that are under way
        await serving;
        // end
    }

    public static async Task TlsAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        string directory = Directory.CreateTempSubdirectory("netgo").FullName;
        string certificate = Path.Combine(directory, "cert.pem"), keyFile = Path.Combine(directory, "key.pem");
        await File.WriteAllTextAsync(certificate, made.ExportCertificatePem());
        await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem());
        using NetListener listener = NetListener.Listen("127.0.0.1:0");
        // snippet: tls
        TlsOptions tls = TlsOptions.FromPemFiles(certificate, keyFile);    // read again when they change
        await using var server = new Server { Handler = new HandlerFunc((w, r) => w.WriteAsync(r.Scheme)) };
        Task serving = server.ServeTlsAsync(listener, tls);                // or ListenAndServeTlsAsync(tls)
        // end
        string thumbprint = made.Thumbprint;
        using var client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, given, _, _) => given?.GetCertHashString() == thumbprint },
        });
        Console.WriteLine(await client.GetStringAsync($"https://{listener.LocalEndPoint}/"));
        Directory.Delete(directory, recursive: true);
    }

    public static async Task RoutingAsync()
    {
        // snippet: routing
        var mux = new ServeMux();
        mux.HandleFunc("GET /items/{id}", (w, r) => w.WriteAsync(r.PathValue("id")));            // HEAD too
        mux.HandleFunc("GET /files/{path...}", (w, r) => w.WriteAsync(r.PathValue("path")));     // the rest, slashes and all
        mux.HandleFunc("GET /{$}", (w, r) => w.WriteAsync("only the root itself"));
        mux.HandleFunc("api.example.org/", (w, r) => w.WriteAsync("for this host"));
        // end
        await using TestServer server = TestServer.Start(mux);
        using HttpClient client = server.CreateClient();
        Console.WriteLine(await client.GetStringAsync("/items/7"));
        Console.WriteLine(await client.GetStringAsync("/files/a/b.txt"));
        using HttpResponseMessage refused = await client.PostAsync("/items/7", null);
        Console.WriteLine($"{(int)refused.StatusCode} {string.Join(", ", refused.Content.Headers.Allow)}");
    }

    public static async Task MiddlewareAsync()
    {
        ILogger logger = NullLogger.Instance;
        IHandler mux = new HandlerFunc((w, r) => w.WriteAsync("ok"));
        // snippet: middleware
        IHandler handler = mux
            .WithCompression()
            .WithRateLimiter(new RateLimitOptions { PerSecond = 1, Burst = 1 })
            .WithRecovery(logger)
            .WithAccessLog(logger)
            .WithRequestId();                                  // the last is the outermost

        IHandler own = new HandlerFunc(async (w, r) =>         // middleware is a handler that calls another
        {
            w.Header.Set("Server-Timing", "none");
            await handler.ServeHttpAsync(w, r);
        });
        // end
        await using TestServer server = TestServer.Start(own);
        using HttpClient client = server.CreateClient();
        HttpStatusCode status = HttpStatusCode.OK;
        for (int i = 0; i < 100 && status == HttpStatusCode.OK; i++)
        {
            using HttpResponseMessage answer = await client.GetAsync("/");
            status = answer.StatusCode;
        }
        Console.WriteLine((int)status);
    }

    public static async Task ProxyAsync()
    {
        using NetListener listener = NetListener.Listen("127.0.0.1:0");
        await using var backend = new Server { Handler = new HandlerFunc((w, r) => w.WriteAsync("from the backend")) };
        _ = backend.ServeAsync(listener);
        string address = $"http://{listener.LocalEndPoint}";
        // snippet: proxy
        using var proxy = new ReverseProxy(request =>
        {
            request.SetUrl(new Uri(address));
            request.SetXForwarded();
        });
        await using TestServer server = TestServer.Start(proxy);
        // end
        using HttpClient client = server.CreateClient();
        Console.WriteLine(await client.GetStringAsync("/"));
    }
}
