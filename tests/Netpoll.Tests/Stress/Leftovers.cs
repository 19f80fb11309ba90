namespace NetGo.Netpoll.Tests.Stress;

/// <summary>What a test has left: sockets, pollers and PollDescs, counted at its start and at its end. (Of goroutines see
/// <see cref="Bounded.NoneLeft"/>.)</summary>
internal sealed class Leftovers
{
    private readonly (int Sockets, int Pollers) _before;
    private readonly int _pollDescsBefore;

    private Leftovers()
    {
        _before = Descriptors();
        _pollDescsBefore = PollDescTable.InUse;
    }

    /// <summary>Begins to count.</summary>
    public static async Task<Leftovers> CountAsync()
    {
        // System.Net.Sockets and a scheduler open what they keep for ever.
        using (var net = new Loopback())
        {
            var (connection, peer) = await net.ConnectAsync();
            connection.Close();
            Assert.Equal(0, await peer.ReceiveAsync(new byte[1]).Within());
        }
        return new Leftovers();
    }

    // Of the system's kinds; files are left out, since the runtime opens some now and then, its assemblies for instance.
    private static (int Sockets, int Pollers) Descriptors()
    {
        if (!OperatingSystem.IsLinux())
            return default;
        // One that is closed meanwhile has no target.
        string[] targets = [.. Directory.GetFileSystemEntries("/proc/self/fd").Select(static path => new FileInfo(path).LinkTarget ?? "")];
        return (
            targets.Count(static t => t.StartsWith("socket:", StringComparison.Ordinal)),
            targets.Count(static t => t.StartsWith("anon_inode:[event", StringComparison.Ordinal)));
    }

    /// <summary>All is as it was.</summary>
    public void None()
    {
        (int Sockets, int Pollers) now = default;
        bool isAsBefore = SpinWait.SpinUntil(() => (now = Descriptors()) == _before && PollDescTable.InUse == _pollDescsBefore, Bounded.Limit);
        Assert.True(
            isAsBefore, $"Sockets and pollers: {_before} before, {now} now. PollDescs: {_pollDescsBefore} before, {PollDescTable.InUse} now.");
    }
}
