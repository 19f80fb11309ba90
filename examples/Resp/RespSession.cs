namespace Resp;

/// <summary>What a connection knows beside the store.</summary>
internal sealed class RespSession(RespWriter reply)
{
    private static long s_lastId;

    public long Id { get; } = Interlocked.Increment(ref s_lastId);

    public RespWriter Reply => reply;

    /// <summary>No more commands: the connection is closed when what has been replied has been sent.</summary>
    public bool HasEnded { get; set; }
}
