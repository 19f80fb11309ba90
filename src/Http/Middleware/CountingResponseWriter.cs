using System.Text;
using Microsoft.Win32.SafeHandles;

namespace NetGo.Http;

/// <summary>Counts the content that a handler writes.</summary>
internal sealed class CountingResponseWriter(ResponseWriter inner) : DelegatingResponseWriter(inner)
{
    /// <summary>How many bytes, before any compression further out.</summary>
    public long Count { get; private set; }

    public override async ValueTask SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken = default)
    {
        await Inner.SendFileAsync(file, offset, count, cancellationToken);
        Count += count;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default)
    {
        Count += content.Length;
        return Inner.WriteAsync(content, cancellationToken);
    }

    public override ValueTask WriteAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        Count += Encoding.UTF8.GetByteCount(text);
        return Inner.WriteAsync(text, cancellationToken);
    }

    public override void Advance(int count)
    {
        Inner.Advance(count);
        Count += count;
    }
}
