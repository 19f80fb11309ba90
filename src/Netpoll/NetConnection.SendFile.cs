using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace NetGo.Netpoll;

// What is sent of a file goes from the system's page cache to the socket (sendfile(2)), without a copy here. Where that is not
// possible, with what is no regular file, and on Windows, it is read and written.
//
// Either call may sleep for the disk, and nothing says so beforehand. So each is made as a system call that blocks (Go.Blocking),
// as Go makes it between entersyscall and exitsyscall: when it has not come back after 20 us and other goroutines wait, they go
// on on another thread. And each sends a chunk at most, after which others have their turn: while the peer reads as fast as the
// file is sent, nothing here ever waits.
public sealed partial class NetConnection
{
    // Go asks for 4 MiB at a time, which is about a millisecond of copying to a peer that keeps up.
    private const int FileChunk = 1 << 20;

    /// <summary>Sends a file, from its beginning to its end.</summary>
    /// <param name="path">Of the file.</param>
    /// <param name="cancellationToken">Ends the wait; how much has been sent is then unknown.</param>
    /// <returns>How many bytes were sent: the length that the file had at the beginning.</returns>
    /// <exception cref="FileNotFoundException">There is none. All others of <see cref="File.OpenHandle"/>, too.</exception>
    /// <inheritdoc cref="SendFileAsync(SafeFileHandle, long, long, CancellationToken)" path="/exception"/>
    public async ValueTask<long> SendFileAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        long length = 0;
        using SafeFileHandle file = Go.Blocking(() =>
        {
            SafeFileHandle opened = File.OpenHandle(path, options: FileOptions.SequentialScan);
            length = RandomAccess.GetLength(opened);
            return opened;
        });
        await SendFileAsync(file, 0, length, cancellationToken).ConfigureAwait(false);
        return length;
    }

    /// <summary>Sends a piece of a file, without a copy through this process where the system can (sendfile(2)); what Go's
    /// TCPConn does when it is copied to from a file. Does not use or move the file's position.</summary>
    /// <param name="file">One that is open for reading. <see cref="FileStream.SafeFileHandle"/> is one. A pipe or a device does,
    /// too; it is read and written, and while it has nothing it cannot be cancelled.</param>
    /// <param name="offset">Where in the file the piece begins, in bytes; of no meaning for what cannot be sought in.</param>
    /// <param name="count">Of bytes. May be 0, and more than 2 GiB.</param>
    /// <param name="cancellationToken">Ends the wait; how much has been sent is then unknown.</param>
    /// <exception cref="FileEndedException">The file is shorter; it says how many bytes have been sent.</exception>
    /// <exception cref="IOException">The connection failed, and the inner <see cref="SocketException"/> says how; or the file
    /// cannot be read.</exception>
    /// <exception cref="TimeoutException">The write deadline has passed. How much has been sent is unknown.</exception>
    /// <exception cref="ObjectDisposedException">The connection, or the file, has been closed.</exception>
    /// <exception cref="InvalidOperationException">Another goroutine is writing.</exception>
    public async ValueTask SendFileAsync(
        SafeFileHandle file, long offset, long count, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        bool holdsFile = false;
        BeginOperation(PollMode.Write); // until all is sent: nothing gets in between
        try
        {
            file.DangerousAddRef(ref holdsFile);
            long sent = 0;
            while (sent < count)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int n = TrySendFileInTime(file, offset + sent, (int)Math.Min(count - sent, FileChunk));
                if (n == SystemSockets.NotPossible)
                {
                    await CopyFileAsync(file, offset, count, sent, cancellationToken).ConfigureAwait(false);
                    return;
                }
                if (n == SystemSockets.WouldBlock)
                {
                    await WaitForRoomAsync(cancellationToken);
                    continue;
                }
                if (n < 0)
                    throw OperationErrorOf(-n, "send a file");
                if (n == 0)
                    throw new FileEndedException(sent, count);
                sent += n;
                if (n == FileChunk || Machine.SpendBudget())
                    await Go.YieldAsync();
            }
        }
        finally
        {
            if (holdsFile)
                file.DangerousRelease();
            EndOperation(PollMode.Write);
        }
    }

    private int TrySendFileInTime(SafeFileHandle file, long offset, int count) =>
        Desc.HasExpired(PollMode.Write) ? SystemSockets.WouldBlock : TrySendFile(file, offset, count);

    // Sends what fits: the number of bytes, 0 at the file's end, WouldBlock, NotPossible, or another negative error.
    internal int TrySendFile(SafeFileHandle file, long offset, int count) =>
        Go.Blocking(() => SystemSockets.SendFile(Descriptor, file, offset, count));

    // The rest. Unlike RandomAccess, a FileStream takes what cannot be sought in, too. It is not disposed of: that would close
    // the file, which is the caller's.
    private async ValueTask CopyFileAsync(
        SafeFileHandle file, long offset, long count, long sent, CancellationToken cancellationToken)
    {
        var stream = new FileStream(file, FileAccess.Read, bufferSize: 0);
        if (stream.CanSeek)
            stream.Position = offset + sent;
        NetBuffer buffer = Scheduler.Buffers.Rent(BufferPool.LargeSize);
        try
        {
            while (sent < count)
            {
                Memory<byte> piece = buffer.Memory[..(int)Math.Min(count - sent, buffer.Length)];
                int n = Go.Blocking(() => stream.Read(piece.Span));
                if (n == 0)
                    throw new FileEndedException(sent, count);
                await WritePieceAsync(piece[..n], cancellationToken);
                sent += n;
            }
        }
        finally
        {
            buffer.Return();
        }
    }

    // Part of an operation: WriteAsync would be another one.
    private async ValueTask WritePieceAsync(ReadOnlyMemory<byte> piece, CancellationToken cancellationToken)
    {
        while (!piece.IsEmpty)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int n = Desc.HasExpired(PollMode.Write) ? SystemSockets.WouldBlock : TryWrite(piece.Span);
            if (n == SystemSockets.WouldBlock)
                await WaitForRoomAsync(cancellationToken);
            else if (n < 0)
                throw OperationErrorOf(-n, "write");
            else
                piece = piece[n..];
        }
        if (Machine.SpendBudget())
            await Go.YieldAsync();
    }

    private async ValueTask WaitForRoomAsync(CancellationToken cancellationToken)
    {
        PollResult result = await WaitCancellablyAsync(PollMode.Write, cancellationToken);
        if (result != PollResult.Ready)
            throw ErrorOf(result, cancellationToken);
    }
}
