namespace NetGo.Diagnostics;

/// <summary>A profile cannot be taken here, or not now.</summary>
internal sealed class ProfileUnavailableException : Exception
{
    public ProfileUnavailableException(string message)
        : base(message)
    {
    }

    public ProfileUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
