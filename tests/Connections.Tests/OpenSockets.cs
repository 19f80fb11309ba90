namespace NetGo.Connections.Tests;

/// <summary>The sockets that this process has open.</summary>
internal static class OpenSockets
{
    /// <summary>0 where they cannot be counted: only Linux lists them where that can be read.</summary>
    public static int Count
    {
        get
        {
            if (!OperatingSystem.IsLinux())
                return 0;
            int count = 0;
            foreach (string link in Directory.EnumerateFileSystemEntries("/proc/self/fd"))
            {
                try
                {
                    if (new FileInfo(link).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true)
                        count++;
                }
                catch (IOException)
                {
                    // closed meanwhile
                }
            }
            return count;
        }
    }
}
