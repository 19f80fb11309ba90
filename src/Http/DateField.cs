using System.Globalization;
using System.Text;

namespace NetGo.Http;

/// <summary>The Date field (RFC 9110, section 6.6.1) as bytes, made once a second at most.</summary>
internal sealed class DateField
{
    private static DateField s_current = new();

    private readonly DateTimeOffset _time;
    private readonly byte[] _line;
    private readonly long _validUntil;

    private DateField()
    {
        DateTime now = DateTime.UtcNow;
        _time = now;
        _validUntil = Environment.TickCount64 + (1000 - now.Millisecond);
        _line = Encoding.ASCII.GetBytes($"Date: {now.ToString("r", CultureInfo.InvariantCulture)}\r\n");
    }

    /// <summary>The field line with its CRLF.</summary>
    public static ReadOnlySpan<byte> Line => Current._line;

    /// <summary>A time of the second that the line names.</summary>
    public static DateTimeOffset Time => Current._time;

    private static DateField Current
    {
        get
        {
            DateField current = Volatile.Read(ref s_current);
            if (Environment.TickCount64 >= current._validUntil)
                Volatile.Write(ref s_current, current = new DateField());
            return current;
        }
    }
}
