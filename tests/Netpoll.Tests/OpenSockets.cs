namespace NetGo.Netpoll.Tests;

/// <summary>The sockets that this process has open.</summary>
internal static class OpenSockets
{
    public static int Count
    {
        get
        {
            int count = 0;
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
