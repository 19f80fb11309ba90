using System.IO.Pipelines;

namespace NetGo.Connections;

/// <summary>The writer of a pipe, which breaks the connection off when it is completed with an error.</summary>
internal sealed class FallbackWriter(FallbackConnection connection, PipeWriter to) : PipeWriter
{
    private bool _completed;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => to.UnflushedBytes;

    public override Memory<byte> GetMemory(int sizeHint = 0) => to.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => to.GetSpan(sizeHint);

    public override void Advance(int bytes) => to.Advance(bytes);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => to.FlushAsync(cancellationToken);

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
        to.WriteAsync(source, cancellationToken);

    public override void CancelPendingFlush() => to.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        if (_completed)
            return;
        _completed = true;
        if (exception is not null)
            connection.OutputHasFailed(exception);
        to.Complete();
    }
}
