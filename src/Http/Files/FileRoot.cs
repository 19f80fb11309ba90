using Microsoft.Win32.SafeHandles;

namespace NetGo.Http;

// What lies below a directory, and nothing else.
//
// A path that has been checked says nothing about the file that is opened after that: somebody may put a link in its place in between.
// So it is the other way round. On Linux the file is taken hold of without being opened (O_PATH); what it is (a FIFO is not waited for,
// a device not touched) and where it is (/proc/self/fd) are asked of what is held; and that, not its path, is then opened.
//
// Elsewhere the path is resolved link by link, opened, and resolved again: a link that is put there and taken away again within that
// time would pass. Where others can write to the root, serve it from Linux.
//
// The root is looked up for each file: it may be a link that a deployment moves.
internal sealed class FileRoot(string path, bool mayLeave, bool usesLinuxCalls)
{
    private const int MaxLinks = 40;

    private readonly string _path = Path.GetFullPath(path);

    /// <summary>Opens a file or directory.</summary>
    /// <param name="relative">Names with slashes between; "" for the root itself.</param>
    /// <param name="file">To be disposed of.</param>
    /// <returns>0, or the status to answer with: 404, or 403 for what the process may not read.</returns>
    /// <exception cref="IOException">The system failed: it has no descriptor left, most often.</exception>
    public int Open(string relative, out FoundFile? file) => usesLinuxCalls ? OpenOnLinux(relative, out file) : OpenAnywhere(relative, out file);

    private int OpenOnLinux(string relative, out FoundFile? file)
    {
        file = null;
        using SafeFileHandle? root = LinuxFiles.Find(null, _path, out int error);
        if (root is null)
            return StatusOf(error);
        SafeFileHandle? found = relative.Length == 0 ? LinuxFiles.Find(null, _path, out error) : LinuxFiles.Find(root, relative, out error);
        if (found is null)
            return StatusOf(error);
        try
        {
            if (!LinuxFiles.TryGetStatus(found, out LinuxFiles.Status status) || !(status.IsDirectory || status.IsRegular))
                return 404;
            if (!mayLeave && relative.Length > 0 && !LinuxFiles.IsWithin(root, found))
                return 404;
            if (status.IsDirectory)
            {
                file = new FoundFile(found, true, 0, status.Modified, LinuxFiles.PathOf(found));
                found = null;
                return 0;
            }
            SafeFileHandle? opened = LinuxFiles.Reopen(found, out error);
            if (opened is null)
                return StatusOf(error);
            file = new FoundFile(opened, false, (long)status.Size, status.Modified, "");
            return 0;
        }
        finally
        {
            found?.Dispose();
        }
    }

    private static int StatusOf(int error) => error switch
    {
        LinuxFiles.ENOENT or LinuxFiles.ENOTDIR or LinuxFiles.ELOOP or LinuxFiles.ENAMETOOLONG or LinuxFiles.EINVAL or LinuxFiles.ENXIO => 404,
        LinuxFiles.EACCES or LinuxFiles.EPERM => 403,
        _ => throw new IOException($"A file could not be opened: error {error}."),
    };

    private int OpenAnywhere(string relative, out FoundFile? file)
    {
        file = null;
        try
        {
            string asked = relative.Length == 0 ? _path : Path.Combine(_path, relative.Replace('/', Path.DirectorySeparatorChar));
            if (Resolve(asked) is not { } real || !IsAllowed(relative, real))
                return 404;
            if (Directory.Exists(real))
            {
                file = new FoundFile(null, true, 0, Directory.GetLastWriteTimeUtc(real), real);
                return 0;
            }
            SafeFileHandle handle = OpenWithoutWaiting(real);
            try
            {
                if (Resolve(asked) != real)
                    return 404;
                // What cannot be sought in has no length: that throws.
                file = new FoundFile(handle, false, RandomAccess.GetLength(handle), File.GetLastWriteTimeUtc(handle), "");
                return 0;
            }
            finally
            {
                if (file is null)
                    handle.Dispose();
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or PathTooLongException or NotSupportedException)
        {
            return 404;
        }
        catch (UnauthorizedAccessException)
        {
            return 403;
        }
    }

    private bool IsAllowed(string relative, string real)
    {
        if (mayLeave || relative.Length == 0)
            return true;
        string? root = Resolve(_path);
        return root is not null && real.StartsWith(Path.EndsInDirectorySeparator(root) ? root : root + Path.DirectorySeparatorChar, StringComparison.Ordinal);
    }

    // The managed library would wait for the writer of a FIFO. A socket cannot be opened at all.
    private static SafeFileHandle OpenWithoutWaiting(string path) => OperatingSystem.IsWindows()
        ? File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)
        : UnixOpen.WithoutWaiting(path) ?? throw new FileNotFoundException("The file cannot be opened.", path);

    // The path without links; null when it leads nowhere.
    private static string? Resolve(string path)
    {
        int links = 0;
        string root = Path.GetPathRoot(path)!;
        string real = root;
        var rest = new Stack<string>(path[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse());
        while (rest.TryPop(out string? name))
        {
            if (name == ".")
                continue;
            if (name == "..")
            {
                real = Path.GetDirectoryName(real) ?? root;
                continue;
            }
            string next = Path.Combine(real, name);
            if (new FileInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }
            if (++links > MaxLinks)
                return null;
            if (Path.IsPathRooted(target))
                real = Path.GetPathRoot(target)!;
            foreach (string part in target[(Path.IsPathRooted(target) ? real.Length : 0)..]
                .Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse())
                rest.Push(part);
        }
        return real;
    }
}
