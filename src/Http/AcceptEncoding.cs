using System.Globalization;

namespace NetGo.Http;

/// <summary>What a client says about a content coding in Accept-Encoding (RFC 9110, section 12.5.3).</summary>
internal readonly struct AcceptEncoding
{
    private readonly string? _list;

    public AcceptEncoding(HeaderFields header)
    {
        _list = header.Get("Accept-Encoding");
        if (_list is not null && header.GetAll("Accept-Encoding") is { Count: > 1 } several)
            _list = string.Join(',', several);
    }

    /// <summary>Whether content must not be sent as it is: identity;q=0, or *;q=0 without another word about identity.</summary>
    public bool RefusesIdentity => _list is not null && (Find("identity") ?? Find("*")) == 0;

    /// <summary>The coding with the highest weight, the earlier of equals; null when content is rather to be sent as it is.</summary>
    public string? Choose(ReadOnlySpan<string> codings)
    {
        if (_list is null)
            return null;
        string? best = null;
        double bestWeight = 0;
        foreach (string coding in codings)
        {
            double weight = Find(coding) ?? (coding == "gzip" ? Find("x-gzip") : null) ?? Find("*") ?? 0;
            if (weight > bestWeight)
                (best, bestWeight) = (coding, weight);
        }
        // A client that names a coding and not identity wants the coding.
        return bestWeight >= (Find("identity") ?? 0) ? best : null;
    }

    // Null when it is not named. What is malformed is not acceptable.
    private double? Find(string coding)
    {
        ReadOnlySpan<char> list = _list;
        foreach (Range range in list.Split(','))
        {
            ReadOnlySpan<char> member = list[range].Trim(" \t");
            int end = member.IndexOf(';');
            ReadOnlySpan<char> name = (end < 0 ? member : member[..end]).TrimEnd(" \t");
            if (name.Equals(coding, StringComparison.OrdinalIgnoreCase))
                return end < 0 ? 1 : Weight(member[(end + 1)..].Trim(" \t"));
        }
        return null;
    }

    private static double Weight(ReadOnlySpan<char> parameter) =>
        parameter.StartsWith("q=", StringComparison.OrdinalIgnoreCase)
        && double.TryParse(parameter[2..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double weight) && weight <= 1 ? weight : 0;
}
