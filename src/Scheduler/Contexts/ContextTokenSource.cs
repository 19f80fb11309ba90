namespace NetGo;

/// <summary>The source of a context's token, from which the context can be found again. Never disposed of: it holds nothing
/// that the garbage collector would not free.</summary>
// .NET has no way from a token to its source. But the hash code of a token is its source's, and that method is virtual: so the
// source can be asked who it is. Should .NET ever compute it otherwise, only the cause of a cancellation is lost on its way
// through a token, and a test says so.
internal sealed class ContextTokenSource(CancelContext context) : CancellationTokenSource
{
    [ThreadStatic]
    private static bool t_asking;

    [ThreadStatic]
    private static ContextTokenSource? t_answer;

    /// <summary>The context whose token this is; null when it is none's.</summary>
    public static CancelContext? ContextOf(CancellationToken token)
    {
        t_asking = true;
        _ = token.GetHashCode();
        t_asking = false;
        ContextTokenSource? source = t_answer;
        t_answer = null;
        return source?.Context;
    }

    public override int GetHashCode()
    {
        if (t_asking)
            t_answer = this;
        return base.GetHashCode();
    }

    private CancelContext Context => context;
}
