namespace ClientsServer;

/// <summary>The octets of /bytes: 0 to 250, again and again.</summary>
internal static class Pattern
{
    /// <summary>A multiple of 251, so that the next piece goes on where the last ended.</summary>
    public const int Size = 251 * 256;

    public static readonly byte[] Octets = Make();

    private static byte[] Make()
    {
        byte[] octets = new byte[Size];
        for (int i = 0; i < octets.Length; i++)
            octets[i] = (byte)(i % 251);
        return octets;
    }
}
