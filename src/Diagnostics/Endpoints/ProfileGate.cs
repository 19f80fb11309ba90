namespace NetGo.Diagnostics;

/// <summary>Lets one profile of a kind be taken at a time.</summary>
/// <param name="what">As in "A CPU profile".</param>
internal sealed class ProfileGate(string what)
{
    private int _taken;

    /// <summary>To be disposed of when the profile has been taken.</summary>
    /// <exception cref="DebugRequestException">409: somebody else takes one.</exception>
    public IDisposable Enter() =>
        Interlocked.Exchange(ref _taken, 1) == 0 ? new Leave(this) : throw new DebugRequestException(409, $"{what} is being taken already.");

    private sealed class Leave(ProfileGate gate) : IDisposable
    {
        public void Dispose() => Volatile.Write(ref gate._taken, 0);
    }
}
