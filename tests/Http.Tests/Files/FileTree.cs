using System.Diagnostics;

namespace NetGo.Http.Tests;

/// <summary>A directory with a root to be served, and a secret next to it.</summary>
internal sealed class FileTree : IDisposable
{
    public const string Secret = "SECRET";

    private readonly string _directory = Directory.CreateTempSubdirectory("netgo-files-").FullName;

    public FileTree()
    {
        Directory.CreateDirectory(Root);
        File.WriteAllText(System.IO.Path.Combine(_directory, "secret.txt"), Secret);
    }

    public static DateTime Modified { get; } = new(2024, 5, 6, 7, 8, 9, 123, DateTimeKind.Utc);

    public string Root => System.IO.Path.Combine(_directory, "root");

    public string Path(string relative) => System.IO.Path.Combine(Root, relative);

    public FileTree With(string relative, string content = "0123456789a")
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path(relative))!);
        File.WriteAllText(Path(relative), content);
        File.SetLastWriteTimeUtc(Path(relative), Modified);
        return this;
    }

    public void Link(string relative, string target)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path(relative))!);
        File.CreateSymbolicLink(Path(relative), target);
    }

    public void Fifo(string relative)
    {
        using var process = Process.Start("mkfifo", Path(relative));
        Assert.True(process.WaitForExit(TestServer.Bound));
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>How many descriptors of this process are files of the tree.</summary>
    public int OpenHandles()
    {
        int count = 0;
        foreach (string link in Directory.GetFiles("/proc/self/fd"))
        {
            try
            {
                if (new FileInfo(link).LinkTarget is { } target && target.StartsWith(_directory, StringComparison.Ordinal))
                    count++;
            }
            catch (IOException)
            {
                // Closed meanwhile.
            }
        }
        return count;
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
