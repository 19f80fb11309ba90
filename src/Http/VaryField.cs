namespace NetGo.Http;

/// <summary>Vary: Accept-Encoding (RFC 9110, section 12.5.5), added where it is not there.</summary>
internal static class VaryField
{
    public static void AddAcceptEncoding(HeaderFields header)
    {
        if (header.Contains("Vary"))
        {
            foreach (string value in header.GetAll("Vary"))
            {
                if (value.Contains("Accept-Encoding", StringComparison.OrdinalIgnoreCase) || value.Contains('*', StringComparison.Ordinal))
                    return;
            }
        }
        header.Add("Vary", "Accept-Encoding");
    }
}
