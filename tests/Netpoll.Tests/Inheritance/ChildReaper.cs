using System.Globalization;

namespace NetGo.Netpoll.Tests;

/// <summary>Ends the processes that a test has started, whatever has become of the test.</summary>
internal sealed class ChildReaper : IDisposable
{
    private readonly List<int> _children = [];

    public int Add(int child)
    {
        _children.Add(child);
        return child;
    }

    public int Add(string answer)
    {
        Assert.True(int.TryParse(answer, NumberStyles.None, CultureInfo.InvariantCulture, out int child), answer);
        return Add(child);
    }

    public void Dispose()
    {
        foreach (int child in _children)
        {
            if (File.Exists($"/proc/{child}/cmdline") && File.ReadAllText($"/proc/{child}/cmdline").StartsWith(ChildServer.Program, StringComparison.Ordinal))
                ChildProcess.Kill(child);
        }
    }

    /// <summary>Whether the process has ended. One of this process's children leaves its number until somebody asks how it ended.</summary>
    public static bool HasEnded(int child)
    {
        try
        {
            string status = File.ReadAllText($"/proc/{child}/stat"); // "123 (name) S ..."
            return status[status.LastIndexOf(')') + 2] == 'Z';
        }
        catch (IOException)
        {
            return true;
        }
    }
}
