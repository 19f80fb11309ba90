namespace ShutdownLoad;

/// <summary>What all clients have counted.</summary>
internal sealed class Totals
{
    private int _sent;

    public int Answered;
    public int Connections;
    public int Refused;

    public int Sent => _sent;

    /// <summary>The id of a request that is about to be sent.</summary>
    public int NextId() => Interlocked.Increment(ref _sent);
}
