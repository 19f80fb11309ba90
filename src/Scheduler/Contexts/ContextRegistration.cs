namespace NetGo;

/// <summary>A function that waits for the end of a context. Made by <see cref="Context.AfterFunc"/>.</summary>
public sealed class ContextRegistration : IDisposable
{
    private readonly CallbackContext _context;

    internal ContextRegistration(CallbackContext context) => _context = context;

    /// <summary>Takes the function back. It does not wait for the function's end.</summary>
    /// <returns>True when this call kept it from running; false when it has been started or stopped before.</returns>
    public bool Stop() => _context.Stop();

    /// <summary>Stops it.</summary>
    public void Dispose() => Stop();
}
