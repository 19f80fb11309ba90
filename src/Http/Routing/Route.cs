using System.Text;

namespace NetGo.Http;

/// <summary>A pattern and what is registered for it.</summary>
internal sealed class Route<T>(Pattern pattern, T value)
    where T : class
{
    public Pattern Pattern { get; } = pattern;

    public T Value { get; } = value;

    /// <summary><see cref="Pattern.Method"/> in ASCII.</summary>
    public byte[] Method { get; } = Encoding.ASCII.GetBytes(pattern.Method);
}
