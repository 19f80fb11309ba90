using System.Net;
using NetGo.Http;
using NetGo.Netpoll;

namespace NetGo.Fuzz;

/// <summary>A connection whose peer has sent all that it will, in pieces: each is there when the one before it has been read and the server has
/// waited. No wait takes time, so a connection runs to its end without a break.</summary>
internal sealed class ScriptedTransport(GoScheduler scheduler, byte[] input, int[] cuts) : HttpTransport
{
    private static readonly IPEndPoint s_address = new(IPAddress.Loopback, 80);

    private readonly TaskCompletionSource _ended = new();
    private byte[] _output = new byte[1024];
    private int _outputLength;
    private int _read;
    private int _piece;

    /// <summary>What the server has sent.</summary>
    public ReadOnlySpan<byte> Output => _output.AsSpan(0, _outputLength);

    /// <summary>Whether it broke the connection off.</summary>
    public bool Aborted { get; private set; }

    /// <summary>When the server has closed it.</summary>
    public Task Ended => _ended.Task;

    public override GoScheduler Scheduler => scheduler;

    public override NetConnection? Connection => null;

    public override EndPoint RemoteEndPoint => s_address;

    public override EndPoint LocalEndPoint => s_address;

    public override bool TryGetDelivered(out long bytes)
    {
        bytes = _outputLength;
        return true;
    }

    private int PieceEnd => _piece < cuts.Length ? cuts[_piece] : input.Length;

    public override bool TryAddReference() => true;

    public override void Release()
    {
    }

    public override void Close() => _ended.TrySetResult();

    public override void Abort()
    {
        Aborted = true;
        Close();
    }

    public override void CloseWrite()
    {
    }

    public override Stream Detach(out byte[] received) => throw new NotSupportedException();

    public override int TryRead(Span<byte> buffer)
    {
        int n = Math.Min(buffer.Length, PieceEnd - _read);
        if (n <= 0)
            return _piece < cuts.Length ? SystemSockets.WouldBlock : 0;
        input.AsSpan(_read, n).CopyTo(buffer);
        _read += n;
        return n;
    }

    public override int TryWrite(ReadOnlySpan<byte> buffer)
    {
        if (_output.Length - _outputLength < buffer.Length)
            Array.Resize(ref _output, Math.Max(_output.Length * 2, _outputLength + buffer.Length));
        buffer.CopyTo(_output.AsSpan(_outputLength));
        _outputLength += buffer.Length;
        return buffer.Length;
    }

    public override ValueTask<PollResult> WaitAsync(PollMode mode)
    {
        if (mode == PollMode.Read && _piece < cuts.Length)
            _piece++;
        return new ValueTask<PollResult>(PollResult.Ready);
    }

    public override ValueTask<PollResult> WaitCancellablyAsync(PollMode mode, CancellationToken cancellationToken) => WaitAsync(mode);

    public override void SetDeadline(PollMode mode, long when)
    {
    }

    public override IOException ErrorOf(int error, string doing) => new($"Error {error}: cannot {doing}.");

    public override void WatchPeer(IThreadPoolWorkItem? watcher)
    {
    }
}
