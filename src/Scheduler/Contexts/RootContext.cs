namespace NetGo;

/// <summary>A root: never done, without values.</summary>
internal sealed class RootContext(string name) : Context(null, null)
{
    private protected override string Step => name;
}
