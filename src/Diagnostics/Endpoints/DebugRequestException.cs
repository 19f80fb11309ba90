namespace NetGo.Diagnostics;

/// <summary>A request for a debugging page cannot be answered as it was meant.</summary>
internal sealed class DebugRequestException(int status, string message) : Exception(message)
{
    public int Status => status;
}
