using System.Net;

namespace NetGo.Diagnostics;

internal static class UrlQuery
{
    /// <summary>The first value of a parameter, decoded; null when there is none.</summary>
    public static string? Of(string query, string name)
    {
        foreach (string pair in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (WebUtility.UrlDecode(equals < 0 ? pair : pair[..equals]) == name)
                return equals < 0 ? "" : WebUtility.UrlDecode(pair[(equals + 1)..]);
        }
        return null;
    }
}
