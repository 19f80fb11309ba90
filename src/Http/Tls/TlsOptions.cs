using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace NetGo.Http;

/// <summary>How a server speaks TLS (by <see cref="SslStream"/>). Not to be changed once it is in use.</summary>
public sealed class TlsOptions
{
    private readonly ConditionalWeakTable<X509Certificate2, SslServerAuthenticationOptions> _forCertificate = [];

    /// <summary>The certificate with its key, for whom <see cref="CertificateSelector"/> has none.</summary>
    public X509Certificate2? Certificate { get; set; }

    /// <summary>Chooses a certificate with its key by the name that the client asks for (SNI; "" for none), at each handshake; null for
    /// <see cref="Certificate"/>. Return the same object for the same certificate: what is derived from it is kept with it.</summary>
    public Func<string, X509Certificate2?>? CertificateSelector { get; set; }

    /// <summary>The versions; by default those that the system has for good ones.</summary>
    public SslProtocols EnabledProtocols { get; set; } = SslProtocols.None;

    /// <summary>Whether clients are asked for a certificate. None by default.</summary>
    public ClientCertificateMode ClientCertificateMode { get; set; }

    /// <summary>Says whether a client's certificate is accepted. By default it is when the system finds nothing wrong with it.</summary>
    public Func<X509Certificate2, X509Chain?, SslPolicyErrors, bool>? ClientCertificateValidation { get; set; }

    /// <summary>How long a handshake may take. 10 s by default, as in Kestrel.</summary>
    public TimeSpan HandshakeTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Options with the certificate of a pair of PEM files, which is read again when they change: see
    /// <see cref="CertificateFiles"/>.</summary>
    /// <param name="certificatePath">The certificate, and those of the authorities between it and the root.</param>
    /// <param name="keyPath">Its key.</param>
    /// <inheritdoc cref="CertificateFiles(string, string)" path="/exception"/>
    public static TlsOptions FromPemFiles(string certificatePath, string keyPath)
    {
        var files = new CertificateFiles(certificatePath, keyPath);
        return new TlsOptions { CertificateSelector = _ => files.Current };
    }

    internal void Validate()
    {
        if (Certificate is null && CertificateSelector is null)
            throw new InvalidOperationException("TlsOptions has neither a Certificate nor a CertificateSelector.");
        if (Certificate is { HasPrivateKey: false })
            throw new InvalidOperationException("The certificate of TlsOptions has no private key.");
        if (HandshakeTimeout <= TimeSpan.Zero && HandshakeTimeout != Timeout.InfiniteTimeSpan)
            throw new InvalidOperationException("TlsOptions.HandshakeTimeout must be positive, or Timeout.InfiniteTimeSpan.");
    }

    /// <exception cref="AuthenticationException">There is no certificate for the name.</exception>
    internal SslServerAuthenticationOptions For(string serverName)
    {
        X509Certificate2 certificate = CertificateSelector?.Invoke(serverName) ?? Certificate
            ?? throw new AuthenticationException($"There is no certificate for the name \"{serverName}\".");
        return _forCertificate.GetValue(certificate, Make);
    }

    private SslServerAuthenticationOptions Make(X509Certificate2 certificate) => new()
    {
        ServerCertificateContext = SslStreamCertificateContext.Create(certificate, CertificateFiles.ChainOf(certificate), offline: true),
        EnabledSslProtocols = EnabledProtocols,
        ApplicationProtocols = [SslApplicationProtocol.Http11],
        AllowRenegotiation = false,
        ClientCertificateRequired = ClientCertificateMode != ClientCertificateMode.None,
        RemoteCertificateValidationCallback = Accepts,
    };

    private bool Accepts(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (ClientCertificateMode == ClientCertificateMode.None)
            return true;
        if (certificate is not X509Certificate2 given)
            return ClientCertificateMode == ClientCertificateMode.Request;
        return ClientCertificateValidation?.Invoke(given, chain, errors) ?? errors == SslPolicyErrors.None;
    }
}
