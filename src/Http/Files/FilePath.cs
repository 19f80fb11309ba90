using System.Buffers;
using System.Text;

namespace NetGo.Http;

/// <summary>The path of a request as that of a file below the root.</summary>
internal static class FilePath
{
    private static readonly SearchValues<char> s_reserved = SearchValues.Create("<>:\"|?*" + string.Concat(Enumerable.Range(0, 32).Select(c => (char)c)));
    private static readonly string[] s_devices = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"];
    private static readonly UTF8Encoding s_strictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>Decodes a path as it was sent. 0, or the status to refuse it with: 400 for what no client sends by accident (dot segments,
    /// slashes and backslashes in a name, NUL, escapes that are malformed or no UTF-8), 404 for names that are not served.</summary>
    /// <param name="rawPath">As it was sent.</param>
    /// <param name="options">Say which names are served.</param>
    /// <param name="path">Names with slashes between, and none at either end. "" is the root.</param>
    public static int Parse(ReadOnlySpan<byte> rawPath, FileServerOptions options, out string path)
    {
        path = "";
        byte[] decoded = new byte[rawPath.Length];
        int length = 0;
        foreach (Range range in rawPath.Split((byte)'/'))
        {
            ReadOnlySpan<byte> raw = rawPath[range];
            if (raw.IsEmpty)
                continue;
            if (length > 0)
                decoded[length++] = (byte)'/';
            if (PercentEncoding.Decode(raw, decoded.AsSpan(length), out int n) != OperationStatus.Done)
                return 400;
            ReadOnlySpan<byte> name = decoded.AsSpan(length, n);
            if (name is [(byte)'.'] or [(byte)'.', (byte)'.'] || name.ContainsAny((byte)'/', (byte)'\\', (byte)0))
                return 400;
            length += n;
        }
        try
        {
            path = s_strictUtf8.GetString(decoded, 0, length);
        }
        catch (DecoderFallbackException)
        {
            return 400;
        }
        bool first = true;
        foreach (Range range in path.AsSpan().Split('/'))
        {
            ReadOnlySpan<char> name = path.AsSpan(range);
            if (!name.IsEmpty && !IsServed(name, options) && !(first && name.SequenceEqual(".well-known")))
                return 404;
            first = false;
        }
        return 0;
    }

    /// <summary>Whether a name may be served.</summary>
    public static bool IsServed(ReadOnlySpan<char> name, FileServerOptions options)
    {
        if (name[0] == '.' && !options.ServeDotFiles)
            return false;
        if (options.ServeReservedNames && !OperatingSystem.IsWindows())
            return true;
        // PROGRA~1: a second, short name, with which a file would pass for another one.
        return !IsReserved(name) && !(OperatingSystem.IsWindows() && name.Contains('~'));
    }

    /// <summary>Whether Windows takes a name for something else than a file of that name.</summary>
    public static bool IsReserved(ReadOnlySpan<char> name)
    {
        if (name.ContainsAny(s_reserved) || name[^1] is '.' or ' ')
            return true;
        int dot = name.IndexOf('.');
        ReadOnlySpan<char> stem = (dot < 0 ? name : name[..dot]).TrimEnd(' ');
        foreach (string device in s_devices)
        {
            if (stem.Equals(device, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        // COM1 to LPT9, and with the superscript digits.
        return stem.Length == 4 && stem[3] is (>= '0' and <= '9') or '\u00b9' or '\u00b2' or '\u00b3'
            && (stem.StartsWith("COM", StringComparison.OrdinalIgnoreCase) || stem.StartsWith("LPT", StringComparison.OrdinalIgnoreCase));
    }
}
