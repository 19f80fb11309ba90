using Microsoft.Win32.SafeHandles;

namespace NetGo.Http;

/// <summary>A response writer that hands all on to another: what middleware derives from, overriding what it changes. What
/// DelegatingHandler is to HttpClient.</summary>
/// <param name="inner">The other.</param>
public abstract class DelegatingResponseWriter(ResponseWriter inner) : ResponseWriter
{
    /// <summary>The one that it hands on to; Go's Unwrap.</summary>
    public ResponseWriter Inner => inner;

    /// <inheritdoc/>
    public override HeaderFields Header => inner.Header;

    /// <inheritdoc/>
    public override HeaderFields Trailer => inner.Trailer;

    /// <inheritdoc/>
    public override int StatusCode => inner.StatusCode;

    /// <inheritdoc/>
    public override bool HeaderWritten => inner.HeaderWritten;

    /// <inheritdoc/>
    public override void WriteHeader(int statusCode) => inner.WriteHeader(statusCode);

    /// <inheritdoc/>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default) =>
        inner.WriteAsync(content, cancellationToken);

    /// <inheritdoc/>
    public override ValueTask WriteAsync(string text, CancellationToken cancellationToken = default) => inner.WriteAsync(text, cancellationToken);

    /// <inheritdoc/>
    public override ValueTask FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override ValueTask SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken = default) =>
        inner.SendFileAsync(file, offset, count, cancellationToken);

    /// <inheritdoc/>
    public override ValueTask WriteInformationalAsync(int statusCode, CancellationToken cancellationToken = default) =>
        inner.WriteInformationalAsync(statusCode, cancellationToken);

    /// <inheritdoc/>
    public override ValueTask<HijackedStream> HijackAsync(CancellationToken cancellationToken = default) => inner.HijackAsync(cancellationToken);

    /// <inheritdoc/>
    public override ValueTask<HijackedStream> UpgradeAsync(string protocol, CancellationToken cancellationToken = default) =>
        inner.UpgradeAsync(protocol, cancellationToken);

    /// <inheritdoc/>
    public override void SetReadDeadline(TimeSpan fromNow) => inner.SetReadDeadline(fromNow);

    /// <inheritdoc/>
    public override void SetWriteDeadline(TimeSpan fromNow) => inner.SetWriteDeadline(fromNow);

    /// <inheritdoc/>
    public override void EnableFullDuplex() => inner.EnableFullDuplex();

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

    /// <inheritdoc/>
    public override void Advance(int count) => inner.Advance(count);
}
