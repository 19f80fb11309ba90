using System.Buffers;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace NetGo.Http;

/// <summary>A form of the type multipart/form-data (RFC 7578); Go's multipart.Form. Disposing of it deletes its temporary files; else the end
/// of the request does.</summary>
public sealed class MultipartForm : IDisposable
{
    private readonly List<UploadedFile> _files = [];
    private readonly List<string> _temporary = [];
    private int _valueBytes;
    private int _fileMemory;

    internal MultipartForm()
    {
    }

    /// <summary>The values that are no files.</summary>
    public NamedValues Values { get; } = new();

    /// <summary>The files in the order in which they came.</summary>
    public IReadOnlyList<UploadedFile> Files => _files;

    /// <summary>Deletes the temporary files.</summary>
    public void Dispose()
    {
        foreach (string path in _temporary)
            File.Delete(path);
        _temporary.Clear();
    }

    internal async ValueTask ReadAsync(MultipartReader reader, MultipartLimits limits, CancellationToken cancellationToken)
    {
        int parts = 0;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
            {
                if (++parts > limits.MaxParts)
                    throw new BadRequestException(400, $"The form has more than {limits.MaxParts} parts.");
                await ReadPartAsync(section, buffer, limits, cancellationToken);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask ReadPartAsync(MultipartSection section, byte[] buffer, MultipartLimits limits, CancellationToken cancellationToken)
    {
        if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out ContentDispositionHeaderValue? disposition) ||
            !disposition.DispositionType.Equals("form-data", StringComparison.OrdinalIgnoreCase) ||
            HeaderUtilities.RemoveQuotes(disposition.Name).Value is not { Length: > 0 } name)
            throw new BadRequestException(400, "A part of the form has no name: its Content-Disposition is missing or malformed.");
        // As in Go and ASP.NET Core, the encoded name goes before the other.
        string? fileName = (disposition.FileNameStar.HasValue ? disposition.FileNameStar : HeaderUtilities.RemoveQuotes(disposition.FileName)).Value;
        if (fileName is not null)
            await ReadFileAsync(section, name, BaseName(fileName), buffer, limits, cancellationToken);
        else
            await ReadValueAsync(section, name, buffer, limits, cancellationToken);
    }

    // RFC 7578, 4.2: no path is taken from a client, whichever system's.
    private static string BaseName(string fileName)
    {
        string name = fileName[(fileName.AsSpan().LastIndexOfAny('/', '\\') + 1)..];
        return name is "." or ".." || name.Any(char.IsControl) ? "" : name;
    }

    private async ValueTask ReadValueAsync(MultipartSection section, string name, byte[] buffer, MultipartLimits limits, CancellationToken cancellationToken)
    {
        var content = new MemoryStream();
        CountValueBytes(name.Length, limits);
        int n;
        while ((n = await section.Body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            CountValueBytes(n, limits);
            content.Write(buffer, 0, n);
        }
        Values.Add(name, System.Text.Encoding.UTF8.GetString(content.GetBuffer(), 0, (int)content.Length));
    }

    private void CountValueBytes(int count, MultipartLimits limits)
    {
        if (count > limits.MaxValueBytes - _valueBytes)
            throw new BadRequestException(413, $"The values of the form are longer than {limits.MaxValueBytes} bytes.");
        _valueBytes += count;
    }

    private async ValueTask ReadFileAsync(
        MultipartSection section, string name, string fileName, byte[] buffer, MultipartLimits limits, CancellationToken cancellationToken)
    {
        var memory = new MemoryStream();
        FileStream? file = null;
        try
        {
            int n;
            while ((n = await section.Body.ReadAsync(buffer, cancellationToken)) > 0)
            {
                if (file is null && memory.Length + n > limits.MaxFileMemory - _fileMemory)
                {
                    file = Go.Blocking(() => CreateTemporary(limits));
                    Go.Blocking(() => memory.WriteTo(file));
                    memory = new MemoryStream();
                }
                if (file is null)
                    memory.Write(buffer, 0, n);
                else
                    Go.Blocking(() => file.Write(buffer, 0, n));
            }
            if (file is null)
                _fileMemory += (int)memory.Length;
            _files.Add(file is null
                ? new UploadedFile(name, fileName, section.ContentType, memory.ToArray())
                : new UploadedFile(name, fileName, section.ContentType, file.Name, file.Length));
        }
        finally
        {
            file?.Dispose();
        }
    }

    private FileStream CreateTemporary(MultipartLimits limits)
    {
        string path = Path.Combine(limits.TemporaryDirectory ?? Path.GetTempPath(), "netgo-" + Path.GetRandomFileName());
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var file = new FileStream(path, options);
        _temporary.Add(path);
        return file;
    }
}
