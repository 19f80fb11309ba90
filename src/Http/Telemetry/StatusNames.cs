using System.Globalization;

namespace NetGo.Http;

/// <summary>Status codes as text, made once.</summary>
internal static class StatusNames
{
    private static readonly string?[] s_names = new string?[1000];

    public static string Of(int status) => s_names[status] ??= status.ToString(CultureInfo.InvariantCulture);
}
