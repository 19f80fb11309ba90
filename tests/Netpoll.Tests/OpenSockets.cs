namespace NetGo.Netpoll.Tests;

/// <summary>The sockets that this process has open.</summary>
internal static class OpenSockets
{
    /// <summary>Only Linux lists them where that can be read.</summary>
    private static bool CanBeCounted => OperatingSystem.IsLinux();

    /// <summary>Whether there are that many; true where they cannot be counted.</summary>
    public static bool Are(int count) => !CanBeCounted || Count == count;

    /// <summary>Whether there are that many or fewer; true where they cannot be counted.</summary>
    public static bool AreAtMost(int count) => !CanBeCounted || Count <= count;

    /// <summary>0 where they cannot be counted.</summary>
    public static int Count
    {
        get
        {
            int count = 0;
            if (!CanBeCounted)
                return count;
            foreach (string descriptor in Directory.GetFileSystemEntries("/proc/self/fd"))
            {
                // It may have been closed since the listing.
                string? target = null;
                try
                {
                    target = new FileInfo(descriptor).LinkTarget;
                }
                catch (IOException)
                {
                }
                if (target is not null && target.StartsWith("socket:", StringComparison.Ordinal))
                    count++;
            }
            return count;
        }
    }
}
