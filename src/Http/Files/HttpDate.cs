using System.Globalization;

namespace NetGo.Http;

/// <summary>HTTP-date (RFC 9110, section 5.6.7); Go's http.ParseTime.</summary>
internal static class HttpDate
{
    // IMF-fixdate, which alone is sent, then the two obsolete forms: RFC 850's, and asctime's with a day of one or two digits.
    private static readonly string[] s_formats =
        ["ddd, dd MMM yyyy HH:mm:ss 'GMT'", "dddd, dd-MMM-yy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy", "ddd MMM  d HH:mm:ss yyyy"];

    public static string Format(DateTimeOffset time) => time.UtcDateTime.ToString("r", CultureInfo.InvariantCulture);

    public static bool TryParse(string text, out DateTimeOffset time)
    {
        if (!DateTimeOffset.TryParseExact(text, s_formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time))
            return false;
        // A year of two digits that seems to be more than 50 years ahead is one of the past.
        if (text.Contains('-', StringComparison.Ordinal) && time.Year > DateTime.UtcNow.Year + 50)
            time = time.AddYears(-100);
        return true;
    }

    /// <summary>Without the fraction of the second, which no field holds.</summary>
    public static long Seconds(DateTimeOffset time) => time.ToUnixTimeSeconds();
}
