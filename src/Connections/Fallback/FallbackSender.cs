using System.Buffers;
using System.IO.Pipelines;

namespace NetGo.Connections;

// Between the user and a SocketConnection's output is a pipe of ours. When the system refuses to send, the SocketConnection completes both ends of
// its own: who is writing then would get exceptions, and what GetMemory has given him would go back to the pool under his hands. With a pipe in
// between, writing goes on without an error, and flushes say IsCompleted.
//
// All of it is inline: a flush makes the system call itself, and only one that has to wait goes on on the thread pool. A piece is handed on when the
// system has taken the one before, so no more waits behind the pipe than one piece.
internal sealed class FallbackSender
{
    private const int PieceSize = 16 * 1024;

    private readonly Pipe _pipe;
    private readonly FallbackConnection _connection;
    private readonly PipeWriter _to;
    private readonly TaskCompletionSource<Exception?> _loopEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopped;

    /// <param name="connection">Whose output it is.</param>
    /// <param name="to">The SocketConnection's.</param>
    /// <param name="limit">How many bytes may wait before a flush does; null for none: it waits until the system has taken them.</param>
    public FallbackSender(FallbackConnection connection, PipeWriter to, int? limit)
    {
        _connection = connection;
        _to = to;
        int pause = limit ?? 1;
        _pipe = new Pipe(new PipeOptions(
            readerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: pause,
            resumeWriterThreshold: Math.Max(1, pause / 2),
            minimumSegmentSize: PieceSize,
            useSynchronizationContext: false));
        to.WhenReaderCompletes(_loopEnded.SetResult);
    }

    /// <summary>Of the SocketConnection's pipe, of which this is the one that writes.</summary>
    public static PipeOptions SocketPipeOptions { get; } = new(
        readerScheduler: PipeScheduler.Inline,
        writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: 1,
        resumeWriterThreshold: 1,
        minimumSegmentSize: PieceSize,
        useSynchronizationContext: false);

    /// <summary>The user's.</summary>
    public PipeWriter Writer => _pipe.Writer;

    /// <summary>Sends until the writer has been completed, or nothing can be sent any more. Does not fail.</summary>
    public async Task RunAsync()
    {
        bool isAll = false;
        try
        {
            isAll = await SendAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // What failed is for the loop to say, as it is when there was no exception.
        }
        _pipe.Reader.Complete(); // flushes say IsCompleted from now on
        _to.Complete();
        _connection.OutputHasEnded(isAll, await _loopEnded.Task.ConfigureAwait(false));
    }

    /// <summary>Nothing can be sent any more, or shall be. Any thread.</summary>
    public void Stop()
    {
        _stopped = true;
        _pipe.Reader.CancelPendingRead();
    }

    // True when all has been handed on.
    private async Task<bool> SendAsync()
    {
        PipeReader from = _pipe.Reader;
        while (true)
        {
            ReadResult result = await from.ReadAsync().ConfigureAwait(false);
            if (_stopped)
                return false;
            ReadOnlyMemory<byte> piece = result.Buffer.First;
            if ((await _to.WriteAsync(piece).ConfigureAwait(false)).IsCompleted)
                return false;
            bool isLast = result.IsCompleted && piece.Length == result.Buffer.Length;
            from.AdvanceTo(result.Buffer.GetPosition(piece.Length));
            if (isLast)
                return true;
        }
    }
}
