namespace NetGo;

/// <summary>Its parent with a value; Go's valueCtx.</summary>
internal sealed class ValueContext<T>(Context parent, ContextKey<T> key, T value) : Context(parent, parent.Canceler)
{
    public ContextKey<T> Key => key;

    public T Value => value;

    private protected override string Step => $"WithValue({key})";
}
