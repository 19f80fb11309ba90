namespace NetGo;

/// <summary>The key of a value in a <see cref="Context"/>. Two keys are the same only if they are the same object, whatever
/// their names: keep it in a static field of the code that owns the value, public or not, as in Go a key is of a type of its
/// own.</summary>
/// <param name="name">For people.</param>
public sealed class ContextKey<T>(string name)
{
    /// <summary>Its name, for people.</summary>
    public string Name { get; } = name ?? throw new ArgumentNullException(nameof(name));

    /// <inheritdoc/>
    public override string ToString() => Name;
}
