// A server with TLS, and one without that redirects to it. A graceful shutdown on Ctrl+C.
//
//   Tls [HTTPS-ADDRESS [HTTP-ADDRESS]]                          with a certificate that is made at the start, for tries
//   Tls --pem CERTIFICATE KEY [HTTPS-ADDRESS [HTTP-ADDRESS]]    with PEM files, which are read again when they change
//
//   The addresses are :8443 and :8080 unless given. Try: curl -kL http://localhost:8080/
using System.Runtime.InteropServices;
using NetGo.Http;
using Tls;

TlsOptions tls;
string[] addresses;
if (args is ["--pem", var certificate, var key, .. var behind])
{
    tls = TlsOptions.FromPemFiles(certificate, key);
    addresses = behind;
}
else
{
    tls = new TlsOptions { Certificate = SelfSigned.Create() };
    addresses = args;
}
if (addresses.Length > 2 || addresses.Any(static address => address.StartsWith('-')))
{
    Console.Error.WriteLine("Usage: Tls [--pem CERTIFICATE KEY] [HTTPS-ADDRESS [HTTP-ADDRESS]]");
    return 2;
}
string secure = addresses.Length > 0 ? addresses[0] : ":8443";
string plain = addresses.Length > 1 ? addresses[1] : ":8080";

using var stop = new CancellationTokenSource();
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

var mux = new ServeMux();
mux.HandleFunc("GET /{$}", static (w, r) =>
{
    w.Header.Set("Content-Type", "text/plain; charset=utf-8");
    return w.WriteAsync($"Hello over {r.Tls!.Protocol}!\n");
});
var server = new Server { Address = secure, Handler = mux };
var redirecting = new Server { Address = plain, Handler = new HttpsRedirect(secure) };
Task serving = server.ListenAndServeTlsAsync(tls, stop.Token);
Task servingPlain = redirecting.ListenAndServeAsync(stop.Token);
Console.WriteLine($"Listening on {secure} with TLS, and on {plain}, which redirects there");
await await Task.WhenAny(serving, servingPlain); // when one has failed, the other is of no use
await Task.WhenAll(serving, servingPlain);
return 0;

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
