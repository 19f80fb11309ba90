namespace NetGo.Netpoll.Tests;

/// <summary>A new directory, deleted with what is in it. Its path is short, as those of Unix sockets must be.</summary>
internal sealed class TempDirectory : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ng");

    public string this[string name] => Path.Combine(_directory.FullName, name);

    public void Dispose() => _directory.Delete(recursive: true);
}
