using Microsoft.Win32.SafeHandles;

namespace NetGo.Http;

/// <summary>A regular file, open for reading, or a directory.</summary>
/// <param name="handle">Of a directory, null where the system has none.</param>
/// <param name="isDirectory">Which of them.</param>
/// <param name="length">In bytes.</param>
/// <param name="modified">When it was changed last.</param>
/// <param name="enumerationPath">By which a directory can be listed while this is not disposed of.</param>
internal sealed class FoundFile(SafeFileHandle? handle, bool isDirectory, long length, DateTimeOffset modified, string enumerationPath) : IDisposable
{
    public SafeFileHandle Handle => handle!;

    public bool IsDirectory => isDirectory;

    public long Length => length;

    public DateTimeOffset Modified => modified;

    public string EnumerationPath => enumerationPath;

    public void Dispose() => handle?.Dispose();
}
