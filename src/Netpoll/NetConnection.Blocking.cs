using System.Diagnostics;
using System.Net.Sockets;

namespace NetGo.Netpoll;

// Reading and writing for code that cannot await. The thread blocks until the poller wakes it; on a goroutine's, the scheduler
// gives its processor to another thread meanwhile (Go.Blocking). All that ends a wait that is awaited ends this one: events,
// deadlines, Close.
public sealed partial class NetConnection
{
    [ThreadStatic]
    private static ManualResetEventSlim? t_woken;

    /// <summary>As <see cref="ReadAsync"/>, but blocks.</summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="timeout">In milliseconds, or -1. When it has passed, that is an <see cref="IOException"/>.</param>
    internal int ReadBlocking(Span<byte> buffer, int timeout)
    {
        long start = Stopwatch.GetTimestamp();
        BeginOperation(PollMode.Read);
        try
        {
            while (true)
            {
                int n = Desc.HasExpired(PollMode.Read) ? SystemSockets.WouldBlock : TryReadOrPeek(buffer);
                if (n >= 0)
                    return n;
                if (n != SystemSockets.WouldBlock)
                    throw OperationErrorOf(-n, "read");
                WaitBlocking(PollMode.Read, start, timeout);
            }
        }
        finally
        {
            EndOperation(PollMode.Read);
        }
    }

    /// <summary>As <see cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>, but blocks.</summary>
    /// <param name="buffer">What to write.</param>
    /// <param name="timeout">In milliseconds, or -1. When it has passed, that is an <see cref="IOException"/>.</param>
    internal void WriteBlocking(ReadOnlySpan<byte> buffer, int timeout)
    {
        long start = Stopwatch.GetTimestamp();
        BeginOperation(PollMode.Write);
        try
        {
            while (true)
            {
                int n = Desc.HasExpired(PollMode.Write) ? SystemSockets.WouldBlock : TryWrite(buffer);
                if (n == buffer.Length)
                    return;
                if (n >= 0)
                    buffer = buffer[n..];
                else if (n == SystemSockets.WouldBlock)
                    WaitBlocking(PollMode.Write, start, timeout);
                else
                    throw OperationErrorOf(-n, "write");
            }
        }
        finally
        {
            EndOperation(PollMode.Write);
        }
    }

    private void WaitBlocking(PollMode mode, long start, int timeout)
    {
        ValueTask<PollResult> wait = WaitAsync(mode);
        PollResult result = wait.IsCompleted ? wait.Result : Block(mode, start, timeout);
        if (result == PollResult.Ready)
            return;
        if (result != PollResult.Cancelled)
            throw ErrorOf(result, CancellationToken.None);
        string message = $"Nothing could be {(mode == PollMode.Read ? "read" : "written")} within {timeout} ms.";
        throw new IOException(message, new SocketException((int)SocketError.TimedOut));
    }

    private PollResult Block(PollMode mode, long start, int timeout)
    {
        ManualResetEventSlim woken = t_woken ??= new ManualResetEventSlim(false, spinCount: 0);
        woken.Reset();
        Desc.ParkThread(mode, woken);
        Go.Blocking(() =>
        {
            if (woken.Wait(Left(start, timeout)))
                return;
            Desc.Cancel(mode);
            woken.Wait();
        });
        PollResult result = Desc.TakeResult(mode);
        Desc.ClearCancelled(mode);
        return result;
    }

    private static int Left(long start, int timeout)
    {
        if (timeout < 0)
            return timeout;
        double passed = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        return passed < timeout ? timeout - (int)passed : 0;
    }
}
