namespace NetGo.Http;

/// <summary>The host part of a Host field.</summary>
internal static class HostName
{
    /// <summary>The longest host a pattern may name, in bytes: a DNS name's limit.</summary>
    public const int MaxLength = 255;

    /// <summary>
    /// <paramref name="host"/> without <c>:port</c>. An IPv6 address keeps its brackets; what is no host and port, such as
    /// one with two colons and no brackets, is left alone.
    /// </summary>
    public static ReadOnlySpan<byte> StripPort(ReadOnlySpan<byte> host)
    {
        int colon = host.LastIndexOf((byte)':');
        if (colon < 0)
            return host;
        ReadOnlySpan<byte> name = host[..colon];
        bool hasPort = name.IsEmpty || (name[0] == '[' ? name[^1] == ']' : !name.Contains((byte)':'));
        return hasPort ? name : host;
    }
}
