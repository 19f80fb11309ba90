namespace NetGo;

/// <summary>Its parent's values without its end; Go's withoutCancelCtx.</summary>
internal sealed class DetachedContext(Context parent) : Context(parent, null)
{
    private protected override string Step => "WithoutCancel";
}
