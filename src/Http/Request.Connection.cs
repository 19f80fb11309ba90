namespace NetGo.Http;

public sealed partial class Request
{
    /// <summary>What TLS has agreed on for the connection; null without TLS. Go's Request.TLS.</summary>
    public TlsConnectionState? Tls => _exchange.Transport.Tls;

    /// <summary>"https" or "http": how the connection came. Behind a proxy that ends TLS it is "http".</summary>
    public string Scheme => Tls is null ? "http" : "https";

    /// <summary>Whether the client would go on with a protocol (RFC 9110, section 7.8).</summary>
    internal bool AsksToUpgradeTo(string protocol) =>
        !IsHttp10 && Lists("Connection", "Upgrade") && Lists("Upgrade", protocol);

    // Whether a member of a list is this one.
    private bool Lists(string field, string member)
    {
        foreach (string value in Header.GetAll(field))
        {
            foreach (Range range in value.AsSpan().Split(','))
            {
                if (value.AsSpan()[range].Trim(" \t").Equals(member, StringComparison.OrdinalIgnoreCase))
                    return true;
            }
        }
        return false;
    }
}
