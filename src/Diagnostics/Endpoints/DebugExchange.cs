using System.Globalization;

namespace NetGo.Diagnostics;

/// <summary>A request for a debugging page, and the answer to it.</summary>
internal abstract class DebugExchange
{
    public abstract DebugRequest Request { get; }

    public required DebugOptions Options { get; init; }

    /// <summary>Where the pages are: "/debug".</summary>
    public required string Prefix { get; init; }

    public GoScheduler Scheduler => Options.Scheduler ?? GoScheduler.Current;

    /// <summary>Fixes status and fields, once.</summary>
    public abstract void Begin(int status, string contentType, params ReadOnlySpan<(string Name, string Value)> fields);

    /// <summary>Where the content goes, after <see cref="Begin"/>.</summary>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> content);

    /// <summary>The whole answer as text.</summary>
    public ValueTask TextAsync(int status, string text, string contentType = "text/plain; charset=utf-8")
    {
        Begin(status, contentType);
        return WriteAsync(System.Text.Encoding.UTF8.GetBytes(text));
    }

    /// <summary>A number in the query.</summary>
    /// <exception cref="DebugRequestException">It is none, or out of range.</exception>
    public int NumberOf(string name, int otherwise, int least, int most)
    {
        if (Request.QueryOf(name) is not { Length: > 0 } text)
            return otherwise;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
            ? value
            : throw new DebugRequestException(400, string.Create(CultureInfo.InvariantCulture, $"{name} must be a whole number from {least} to {most}."));
    }

    /// <summary>For how long to look: the parameter "seconds".</summary>
    /// <exception cref="DebugRequestException">It is too long, or no number.</exception>
    public TimeSpan Duration() =>
        Request.QueryOf("seconds") is { Length: > 0 }
            ? TimeSpan.FromSeconds(NumberOf("seconds", 0, 1, (int)Math.Max(1, Options.MaxDuration.TotalSeconds)))
            : Options.DefaultDuration < Options.MaxDuration ? Options.DefaultDuration : Options.MaxDuration;
}
