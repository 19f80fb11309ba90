namespace NetGo.Http;

/// <summary>The methods that telemetry tells apart, as OpenTelemetry's semantic conventions have them: those of RFC 9110, section 9, and PATCH. All
/// others are one, so that a client cannot make as many series as it likes.</summary>
internal static class KnownMethod
{
    public const int Count = 10;

    private static readonly string[] s_names = ["_OTHER", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"];

    /// <summary>A number below <see cref="Count"/>; 0 for those not known. Methods are case-sensitive.</summary>
    public static int IndexOf(ReadOnlySpan<byte> method)
    {
        if (method.SequenceEqual("GET"u8))
            return 1;
        for (int i = 2; i < s_names.Length; i++)
        {
            if (System.Text.Ascii.Equals(method, s_names[i]))
                return i;
        }
        return 0;
    }

    public static string NameOf(int index) => s_names[index];
}
