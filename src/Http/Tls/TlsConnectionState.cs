using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace NetGo.Http;

/// <summary>What client and server have agreed on for a connection; Go's tls.ConnectionState.</summary>
/// <param name="Protocol">The version of TLS.</param>
/// <param name="CipherSuite">The cipher suite.</param>
/// <param name="ServerName">The name that the client asked for (SNI); "" when it named none.</param>
/// <param name="ApplicationProtocol">Of ALPN; "" when the client offered none.</param>
/// <param name="ClientCertificate">The client's certificate; null when it has sent none.</param>
public sealed record TlsConnectionState(
    SslProtocols Protocol, TlsCipherSuite CipherSuite, string ServerName, string ApplicationProtocol, X509Certificate2? ClientCertificate);
