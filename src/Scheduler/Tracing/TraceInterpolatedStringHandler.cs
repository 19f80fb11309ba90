using System.Runtime.CompilerServices;

namespace NetGo;

/// <summary>What the compiler makes of an interpolated string that <see cref="GoTrace.Log(Context, string, ref TraceInterpolatedStringHandler)"/> is
/// called with: nothing, when no trace is being taken.</summary>
[InterpolatedStringHandler]
public ref struct TraceInterpolatedStringHandler
{
    private DefaultInterpolatedStringHandler _text;

    /// <summary>For the compiler.</summary>
    /// <param name="literalLength">The length of what is constant.</param>
    /// <param name="formattedCount">The number of holes.</param>
    /// <param name="isEnabled">Whether it is to be put together at all.</param>
    public TraceInterpolatedStringHandler(int literalLength, int formattedCount, out bool isEnabled)
    {
        IsEnabled = isEnabled = GoTrace.IsEnabled;
        if (isEnabled)
            _text = new DefaultInterpolatedStringHandler(literalLength, formattedCount);
    }

    internal bool IsEnabled { get; }

    /// <summary>For the compiler.</summary>
    /// <param name="text">A part that is constant.</param>
    public void AppendLiteral(string text) => _text.AppendLiteral(text);

    /// <summary>For the compiler.</summary>
    /// <param name="value">What stands in a hole.</param>
    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    /// <summary>For the compiler.</summary>
    /// <param name="value">What stands in a hole.</param>
    /// <param name="format">Its format.</param>
    public void AppendFormatted<T>(T value, string? format) => _text.AppendFormatted(value, format);

    internal string ToStringAndClear() => _text.ToStringAndClear();
}
