using System.Buffers;
using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace NetGo.Http;

/// <summary>Names with their values in the order in which they came, as in a query or a form: a name may occur several times. Names are
/// compared exactly. Go's url.Values, which does not keep the order. Not thread-safe.</summary>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "Named after Go's url.Values.")]
public sealed class NamedValues : IReadOnlyCollection<KeyValuePair<string, string>>
{
    private const int StackBytes = 256;

    // What a form leaves as it is (Go's QueryEscape): the unreserved characters of RFC 3986. A space becomes a plus sign.
    private static readonly SearchValues<byte> s_unreserved =
        SearchValues.Create("-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private readonly List<KeyValuePair<string, string>> _pairs = [];

    /// <summary>The number of values.</summary>
    public int Count => _pairs.Count;

    /// <summary>The first value of a name, or null; Go's Get.</summary>
    /// <param name="name">The name.</param>
    public string? this[string name]
    {
        get
        {
            foreach (KeyValuePair<string, string> pair in _pairs)
            {
                if (pair.Key == name)
                    return pair.Value;
            }
            return null;
        }
    }

    /// <summary>All values of a name in order.</summary>
    /// <param name="name">The name.</param>
    public IReadOnlyList<string> GetAll(string name)
    {
        var values = new List<string>();
        foreach (KeyValuePair<string, string> pair in _pairs)
        {
            if (pair.Key == name)
                values.Add(pair.Value);
        }
        return values;
    }

    /// <summary>Whether there is such a name; Go's Has.</summary>
    /// <param name="name">The name.</param>
    public bool Contains(string name) => this[name] is not null;

    /// <summary>Adds a value behind the others; Go's Add.</summary>
    /// <param name="name">The name.</param>
    /// <param name="value">The value.</param>
    public void Add(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(value);
        _pairs.Add(new KeyValuePair<string, string>(name, value));
    }

    /// <summary>As a query or as content of the type application/x-www-form-urlencoded; Go's Encode, which sorts by name.</summary>
    public string Encode()
    {
        var text = new StringBuilder();
        foreach (KeyValuePair<string, string> pair in _pairs)
        {
            if (text.Length > 0)
                text.Append('&');
            Escape(text, pair.Key);
            text.Append('=');
            Escape(text, pair.Value);
        }
        return text.ToString();
    }

    /// <inheritdoc cref="Encode"/>
    public override string ToString() => Encode();

    /// <summary>All names with their values in order.</summary>
    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => _pairs.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Adds the pairs of a query, as Go's url.ParseQuery does: "name=value" between ampersands, plus signs for spaces. A pair with a
    /// malformed escape or a semicolon, which others read as a separator, is left out.</summary>
    /// <returns>Whether none was left out.</returns>
    internal bool AddEncoded(ReadOnlySpan<byte> text)
    {
        bool whole = true;
        foreach (Range range in text.Split((byte)'&'))
        {
            ReadOnlySpan<byte> pair = text[range];
            if (pair.IsEmpty)
                continue;
            int equals = pair.IndexOf((byte)'=');
            ReadOnlySpan<byte> value = equals < 0 ? default : pair[(equals + 1)..];
            if (!pair.Contains((byte)';') && Unescape(equals < 0 ? pair : pair[..equals]) is { } name && Unescape(value) is { } decoded)
                _pairs.Add(new KeyValuePair<string, string>(name, decoded));
            else
                whole = false;
        }
        return whole;
    }

    private static string? Unescape(ReadOnlySpan<byte> text)
    {
        if (text.IndexOfAny((byte)'%', (byte)'+') < 0)
            return Encoding.UTF8.GetString(text);
        byte[]? rented = null;
        Span<byte> buffer = text.Length <= StackBytes / 2
            ? stackalloc byte[StackBytes]
            : rented = ArrayPool<byte>.Shared.Rent(text.Length * 2);
        // The plus signs first: one that was escaped is none.
        Span<byte> spaced = buffer[..text.Length];
        text.Replace(spaced, (byte)'+', (byte)' ');
        Span<byte> decoded = buffer[text.Length..];
        string? result = PercentEncoding.Decode(spaced, decoded, out int written) == OperationStatus.Done
            ? Encoding.UTF8.GetString(decoded[..written])
            : null;
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return result;
    }

    private static void Escape(StringBuilder to, string text)
    {
        foreach (byte value in Encoding.UTF8.GetBytes(text))
        {
            if (s_unreserved.Contains(value))
                to.Append((char)value);
            else if (value == ' ')
                to.Append('+');
            else
                to.Append('%').Append(value.ToString("X2", null));
        }
    }
}
