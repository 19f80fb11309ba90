namespace NetGo.Http;

public sealed partial class Request
{
    private Context? _context;

    /// <summary>Ends when the client goes away, when the server is closed and when the handler has ended; Go's Context. Middleware may put in
    /// its place one that is derived from it, with a deadline or values. Made when it is first asked for.</summary>
    public Context Context
    {
        get => _context ??= _exchange.BeginContext();
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            _context = value;
        }
    }

    /// <summary>The token of <see cref="Context"/>: cancelled when nobody waits for the answer any more. ASP.NET Core's RequestAborted.</summary>
    public CancellationToken Aborted => Context.Token;
}
