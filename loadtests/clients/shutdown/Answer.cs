using System.Globalization;
using System.Text;

namespace ShutdownLoad;

/// <summary>A whole answer with Content-Length, as all that are asked for here have.</summary>
internal readonly record struct Answer(bool Closes)
{
    /// <summary>Null when it is not whole yet.</summary>
    /// <exception cref="InvalidDataException">It is not 200.</exception>
    public static Answer? Read(ReadOnlySpan<byte> octets)
    {
        int end = octets.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return null;
        string head = Encoding.ASCII.GetString(octets[..end]);
        if (!head.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal))
            throw new InvalidDataException(head);
        string length = Field(head, "Content-Length") ?? throw new InvalidDataException(head);
        return octets.Length - end - 4 == int.Parse(length, CultureInfo.InvariantCulture)
            ? new Answer(Field(head, "Connection") == "close")
            : null;
    }

    private static string? Field(string head, string name)
    {
        string line = $"\r\n{name}: ";
        int at = head.IndexOf(line, StringComparison.OrdinalIgnoreCase);
        return at < 0 ? null : head[(at + line.Length)..].Split("\r\n")[0];
    }
}
