namespace NetGo.Http;

/// <summary>Whether clients are asked for a certificate; Go's tls.ClientAuthType.</summary>
public enum ClientCertificateMode
{
    /// <summary>They are not.</summary>
    None,

    /// <summary>They are, and may have none. One that is sent must be valid.</summary>
    Request,

    /// <summary>They are, and must have a valid one.</summary>
    Require,
}
