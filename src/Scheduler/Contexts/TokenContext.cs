namespace NetGo;

/// <summary>A context that a <see cref="CancellationToken"/> ends.</summary>
internal sealed class TokenContext(Context parent) : CancelContext(parent)
{
    private CancellationTokenRegistration _registration;

    private protected override string Step => "WithToken";

    public void Register(CancellationToken token)
    {
        CancellationTokenRegistration registration = token.UnsafeRegister(
            static (state, token) => ((TokenContext)state!).TokenCanceled(token), this);
        if (!IfNotDone(static it => it.Context._registration = it.Registration, (Context: this, Registration: registration)))
            registration.Unregister();
    }

    // After the end nobody sets it, and the end came after it was set.
    private protected override void Release() => _registration.Unregister();

    private void TokenCanceled(CancellationToken token)
    {
        if (ContextTokenSource.ContextOf(token) is { ErrOfItsOwn: { } err } origin)
            Finish(err, origin.CauseOfItsOwn == err ? null : origin.CauseOfItsOwn);
        else
            Finish(ContextCanceledException.For(null, token), null);
    }
}
