namespace NetGo.Http;

/// <summary>Where a hosted server listens, and with which certificate.</summary>
public sealed class NetGoEndpoint
{
    /// <summary>"host:port", ":port" for all addresses, port 0 for any free one; "unix:path" for a Unix socket, "unix:@name" for
    /// one with an
    /// abstract name (Linux).</summary>
    public string Address { get; set; } = "";

    /// <summary>The PEM file of the certificate, and those of the authorities between it and the root. With it TLS is spoken,
    /// without it not.
    /// It is read again when it changes: see <see cref="CertificateFiles"/>.</summary>
    public string? Certificate { get; set; }

    /// <summary>The PEM file of the certificate's key. Null when it is in the same file.</summary>
    public string? Key { get; set; }

    /// <inheritdoc cref="TlsOptions.ClientCertificateMode"/>
    public ClientCertificateMode ClientCertificateMode { get; set; }

    /// <inheritdoc cref="TlsOptions.HandshakeTimeout"/>
    public TimeSpan HandshakeTimeout { get; set; } = new TlsOptions().HandshakeTimeout;

    /// <summary>Reads the files. Null without TLS.</summary>
    internal TlsOptions? ToTls()
    {
        if (Certificate is null)
            return null;
        var tls = TlsOptions.FromPemFiles(Certificate, Key ?? Certificate);
        tls.ClientCertificateMode = ClientCertificateMode;
        tls.HandshakeTimeout = HandshakeTimeout;
        return tls;
    }
}
