namespace NetGo.Http;

/// <summary>A file of a <see cref="MultipartForm"/>; Go's multipart.FileHeader. It is there until the form is disposed of, or the request
/// has ended.</summary>
public sealed class UploadedFile
{
    private readonly byte[]? _content;
    private readonly string? _path;

    internal UploadedFile(string name, string fileName, string? contentType, byte[] content)
        : this(name, fileName, contentType, content.Length) => _content = content;

    internal UploadedFile(string name, string fileName, string? contentType, string path, long length)
        : this(name, fileName, contentType, length) => _path = path;

    private UploadedFile(string name, string fileName, string? contentType, long length)
    {
        Name = name;
        FileName = fileName;
        ContentType = contentType;
        Length = length;
    }

    /// <summary>The name of the form's field.</summary>
    public string Name { get; }

    /// <summary>The name that the client gave it, without directories; it may be "". Not to be trusted, and not a place to write to.</summary>
    public string FileName { get; }

    /// <summary>The type that the client gave it, or null. Not to be trusted.</summary>
    public string? ContentType { get; }

    /// <summary>In bytes.</summary>
    public long Length { get; }

    /// <summary>Whether it is in a temporary file and not in memory.</summary>
    public bool IsTemporaryFile => _path is not null;

    /// <summary>The content, from its start. To be disposed of by the caller. Several may be open.</summary>
    /// <exception cref="FileNotFoundException">The form has been disposed of.</exception>
    public Stream OpenRead() => _path is null
        ? new MemoryStream(_content!, writable: false)
        : new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
}
