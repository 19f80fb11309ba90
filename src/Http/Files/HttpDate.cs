using System.Globalization;

namespace NetGo.Http;

/// <summary>HTTP-date (RFC 9110, section 5.6.7); Go's http.ParseTime.</summary>
internal static class HttpDate
{
    private const string Rfc850WithWholeYear = "dddd, dd-MMM-yyyy HH:mm:ss 'GMT'";

    // IMF-fixdate, which alone is sent, then asctime's form with a day of one or two digits. RFC 850's is the other obsolete one.
    private static readonly string[] s_formats = ["ddd, dd MMM yyyy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy", "ddd MMM  d HH:mm:ss yyyy"];

    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("r", CultureInfo.InvariantCulture);

    public static bool TryParse(string text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(text, s_formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time) ||
        TryParseRfc850(text, out time);

    // Its year has two digits. One that would be more than 50 years ahead is in the past; .NET's own rule has a fixed year for that.
    private static bool TryParseRfc850(string text, out DateTimeOffset time)
    {
        time = default;
        int at = text.LastIndexOf('-') + 1;
        if (at == 0 || text.Length < at + 2 || !int.TryParse(text.AsSpan(at, 2), NumberStyles.None, CultureInfo.InvariantCulture, out int digits))
            return false;
        DateTimeOffset latest = DateTimeOffset.UtcNow.AddYears(50);
        int year = latest.Year - (latest.Year - digits) % 100;
        for (; year >= latest.Year - 100; year -= 100)
        {
            string whole = string.Create(CultureInfo.InvariantCulture, $"{text.AsSpan(0, at)}{year}{text.AsSpan(at + 2)}");
            if (DateTimeOffset.TryParseExact(
                    whole, Rfc850WithWholeYear, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time) && time <= latest)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Without the fraction of the second, which no field holds.</summary>
    public static long Seconds(DateTimeOffset time) => time.ToUnixTimeSeconds();
}
