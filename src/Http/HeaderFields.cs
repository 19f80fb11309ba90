using System.Collections;
using System.Text;

namespace NetGo.Http;

/// <summary>The fields of a message in the order in which they came or were added; names are compared without regard to case.
/// Go's http.Header. A field may occur several times. The fields of a request are views of the bytes that were received:
/// strings are made when they are asked for. Not thread-safe.</summary>
public sealed class HeaderFields : IEnumerable<KeyValuePair<string, string>>
{
    private Entry[] _entries = new Entry[8];
    private NetBuffer? _raw;

    /// <summary>Without fields.</summary>
    public HeaderFields()
    {
    }

    private struct Entry
    {
        public string? Name;
        public string? Value;
        public int NameStart;
        public int NameLength;
        public int ValueStart;
        public int ValueLength;
    }

    /// <summary>The number of field lines.</summary>
    public int Count { get; private set; }

    /// <summary>The first value of a field, or null. Setting it replaces all; null removes the field.</summary>
    /// <param name="name">The field name.</param>
    /// <exception cref="ArgumentException">The name is no token, or the value holds a control character.</exception>
    public string? this[string name]
    {
        get => Get(name);
        set
        {
            if (value is null)
                Remove(name);
            else
                Set(name, value);
        }
    }

    /// <summary>The first value of a field, or null; Go's Header.Get.</summary>
    /// <param name="name">The field name.</param>
    public string? Get(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        int i = Find(name, 0);
        return i < 0 ? null : ValueAt(i);
    }

    /// <summary>All values of a field in order; Go's Header.Values.</summary>
    /// <param name="name">The field name.</param>
    public IReadOnlyList<string> GetAll(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var values = new List<string>();
        for (int i = Find(name, 0); i >= 0; i = Find(name, i + 1))
            values.Add(ValueAt(i));
        return values;
    }

    /// <summary>Whether there is such a field.</summary>
    /// <param name="name">The field name.</param>
    public bool Contains(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Find(name, 0) >= 0;
    }

    /// <summary>Replaces all fields of this name by one; Go's Header.Set.</summary>
    /// <param name="name">The field name.</param>
    /// <param name="value">Latin-1 text.</param>
    /// <exception cref="ArgumentException">The name is no token, or the value holds a control character: it could end the
    /// field and begin another.</exception>
    public void Set(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(name);
        int i = Find(name, 0);
        if (i < 0)
        {
            Add(name, value);
            return;
        }
        CheckValue(name, value);
        _entries[i].Name = name;
        _entries[i].Value = value;
        for (int next = Find(name, i + 1); next >= 0; next = Find(name, i + 1))
            RemoveAt(next);
    }

    /// <summary>Adds a field; Go's Header.Add.</summary>
    /// <inheritdoc cref="Set"/>
    public void Add(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Count == _entries.Length)
            Array.Resize(ref _entries, Count * 2);
        ref Entry entry = ref _entries[Count];
        // An entry keeps its strings when it is cleared: a handler that sets the same ones for every request needs no check.
        if (!ReferenceEquals(entry.Name, name) || !ReferenceEquals(entry.Value, value))
        {
            if (!HttpSyntax.IsToken(name))
                throw new ArgumentException($"\"{name}\" is no field name: it must be a token (letters, digits and !#$%&'*+-.^_`|~).", nameof(name));
            CheckValue(name, value);
            entry = new Entry { Name = name, Value = value };
        }
        Count++;
    }

    private static void CheckValue(string name, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (!HttpSyntax.IsFieldValue(value))
            throw new ArgumentException($"The value of field {name} holds a control character or one beyond Latin-1: encode it.", nameof(value));
    }

    /// <summary>Removes all fields of this name; Go's Header.Del. False when there was none.</summary>
    /// <param name="name">The field name.</param>
    public bool Remove(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        bool removed = false;
        for (int i = Find(name, 0); i >= 0; i = Find(name, i))
        {
            RemoveAt(i);
            removed = true;
        }
        return removed;
    }

    /// <summary>All fields in order.</summary>
    public IEnumerator<KeyValuePair<string, string>> GetEnumerator()
    {
        for (int i = 0; i < Count; i++)
            yield return new KeyValuePair<string, string>(NameAt(i), ValueAt(i));
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // ---- For the server ----

    internal void Clear() => Count = 0;

    /// <summary>The buffer that the positions of raw fields refer to.</summary>
    internal void SetRaw(NetBuffer? raw) => _raw = raw;

    internal void AddRaw(int nameStart, int nameLength, int valueStart, int valueLength)
    {
        if (Count == _entries.Length)
            Array.Resize(ref _entries, Count * 2);
        ref Entry entry = ref _entries[Count++];
        entry.Name = null;
        entry.Value = null;
        entry.NameStart = nameStart;
        entry.NameLength = nameLength;
        entry.ValueStart = valueStart;
        entry.ValueLength = valueLength;
    }

    internal string NameAt(int index)
    {
        ref Entry entry = ref _entries[index];
        return entry.Name ??= Encoding.ASCII.GetString(_raw!.Span.Slice(entry.NameStart, entry.NameLength));
    }

    internal string ValueAt(int index)
    {
        ref Entry entry = ref _entries[index];
        return entry.Value ??= Encoding.Latin1.GetString(_raw!.Span.Slice(entry.ValueStart, entry.ValueLength));
    }

    /// <summary>Makes all strings now, so that the buffer is not needed any more.</summary>
    internal void ReadAll()
    {
        for (int i = 0; i < Count; i++)
        {
            _ = NameAt(i);
            _ = ValueAt(i);
        }
    }

    private int Find(string name, int from)
    {
        for (int i = from; i < Count; i++)
        {
            ref Entry entry = ref _entries[i];
            bool equal = entry.Name is { } text
                ? ReferenceEquals(text, name) || text.Equals(name, StringComparison.OrdinalIgnoreCase)
                : entry.NameLength == name.Length && Ascii.EqualsIgnoreCase(_raw!.Span.Slice(entry.NameStart, entry.NameLength), name);
            if (equal)
                return i;
        }
        return -1;
    }

    private void RemoveAt(int index)
    {
        Array.Copy(_entries, index + 1, _entries, index, Count - index - 1);
        _entries[--Count] = default;
    }
}
