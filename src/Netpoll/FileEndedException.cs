namespace NetGo.Netpoll;

/// <summary>A file was shorter than what was to be sent of it: somebody has cut it in the meantime, most often.</summary>
public sealed class FileEndedException : EndOfStreamException
{
    internal FileEndedException(long bytesSent, long count)
        : base($"The file ended: {bytesSent} of {count} bytes have been sent.")
    {
        BytesSent = bytesSent;
    }

    /// <summary>How many bytes have been sent: all that the file had.</summary>
    public long BytesSent { get; }
}
