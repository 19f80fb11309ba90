using System.Buffers;
using System.Globalization;
using System.Text;

namespace NetGo.Http;

// One writes at a time, the sender of an event or the sender of comments: who holds _turn. The comments end when the stream is
// disposed of, which waits for the one that is under way: nothing is written after the handler has ended.

/// <summary>Sends server-sent events; from <see cref="ServerSentEvents.StartServerSentEventsAsync"/>. Each event is sent at once.
/// Thread-safe.</summary>
public sealed class EventStreamWriter : IAsyncDisposable
{
    private const int MaxKeptBuffer = 4 * 1024;

    private static readonly SearchValues<char> s_lineEnds = SearchValues.Create("\r\n");
    private static readonly SearchValues<char> s_notInField = SearchValues.Create("\r\n\0");

    private readonly ResponseWriter _response;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly CancellationTokenSource _disposed = new();
    private readonly Task _comments;
    private ArrayBufferWriter<byte> _buffer = new();
    private long _lastSent = Environment.TickCount64;

    internal EventStreamWriter(ResponseWriter response, TimeSpan keepAliveInterval, CancellationToken aborted)
    {
        _response = response;
        Aborted = aborted;
        _comments = keepAliveInterval == Timeout.InfiniteTimeSpan ? Task.CompletedTask : SendCommentsAsync(keepAliveInterval);
    }

    /// <summary>Cancelled when the client has gone: <see cref="Request.Aborted"/>.</summary>
    public CancellationToken Aborted { get; }

    /// <summary>Sends an event.</summary>
    /// <param name="data">What the browser gets as the event's data. It may have several lines, which arrive separated by LF
    /// whatever separates them here.</param>
    /// <param name="eventType">Its type; null for "message".</param>
    /// <param name="id">What the browser sends as <see cref="Request.LastEventId"/> when it connects again; null leaves the one
    /// before.</param>
    /// <param name="retry">How long the browser shall wait before it connects again; null leaves it as it is. Sent in ms.</param>
    /// <param name="cancellationToken">Ends the wait for a slow client. The connection cannot be used after that.</param>
    /// <exception cref="ArgumentException">The type or the id has a line end or a NUL: they could begin another
    /// field.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative.</exception>
    /// <exception cref="IOException">The client has gone.</exception>
    /// <exception cref="ObjectDisposedException">The stream was disposed of.</exception>
    public ValueTask SendAsync(
        string data, string? eventType = null, string? id = null, TimeSpan? retry = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        ThrowIfNotField(eventType, nameof(eventType));
        ThrowIfNotField(id, nameof(id));
        if (retry is { } time)
            ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero, nameof(retry));
        return SendAsync(new Message(data, IsComment: false, eventType, id, retry), cancellationToken);
    }

    /// <summary>Sends a comment, which the browser passes over.</summary>
    /// <param name="text">May have several lines.</param>
    /// <param name="cancellationToken">Ends the wait for a slow client. The connection cannot be used after that.</param>
    /// <exception cref="IOException">The client has gone.</exception>
    /// <exception cref="ObjectDisposedException">The stream was disposed of.</exception>
    public ValueTask SendCommentAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        return SendAsync(new Message(text, IsComment: true), cancellationToken);
    }

    private async ValueTask SendAsync(Message message, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed.IsCancellationRequested, this);
            await SendInTurnAsync(message, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async ValueTask SendInTurnAsync(Message message, CancellationToken cancellationToken)
    {
        if (Aborted.IsCancellationRequested)
            throw new IOException("The client of the events has gone.");
        Format(message);
        await _response.WriteAsync(_buffer.WrittenMemory, cancellationToken);
        await _response.FlushAsync(cancellationToken);
        if (_buffer.Capacity > MaxKeptBuffer)
            _buffer = new ArrayBufferWriter<byte>(); // many streams are silent for long
        Volatile.Write(ref _lastSent, Environment.TickCount64);
    }

    /// <summary>Ends the stream: nothing is sent any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync();
        await _comments;
        await _turn.WaitAsync(); // for whoever is sending; who comes after that finds the stream disposed of
        _turn.Release();
    }

    // ---- Comments to keep the connection ----

    private async Task SendCommentsAsync(TimeSpan interval)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_disposed.Token, Aborted);
        try
        {
            while (true)
            {
                TimeSpan silent = TimeSpan.FromMilliseconds(Environment.TickCount64 - Volatile.Read(ref _lastSent));
                if (silent < interval)
                    await Task.Delay(interval - silent, ended.Token);
                else
                    await SendAsync(new Message("", IsComment: true), ended.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // It is over. A sender of events finds out by itself.
        }
    }

    // ---- The format ----

    private readonly record struct Message(
        string Text, bool IsComment, string? EventType = null, string? Id = null, TimeSpan? Retry = null);

    private void Format(in Message message)
    {
        _buffer.ResetWrittenCount();
        if (message.EventType is { } type)
            AppendLine("event: ", type);
        if (message.Id is { } id)
            AppendLine("id: ", id);
        if (message.Retry is { } retry)
            AppendLine("retry: ", ((long)retry.TotalMilliseconds).ToString(CultureInfo.InvariantCulture));
        ReadOnlySpan<char> rest = message.Text;
        string field = message.IsComment ? ": " : "data: ";
        int end;
        while ((end = rest.IndexOfAny(s_lineEnds)) >= 0)
        {
            AppendLine(field, rest[..end]);
            bool isPair = rest[end] == '\r' && end + 1 < rest.Length && rest[end + 1] == '\n';
            rest = rest[(end + (isPair ? 2 : 1))..];
        }
        AppendLine(field, rest);
        _buffer.Write("\n"u8);
    }

    private void AppendLine(string field, ReadOnlySpan<char> value)
    {
        Encoding.UTF8.GetBytes(field, _buffer);
        Encoding.UTF8.GetBytes(value, _buffer);
        _buffer.Write("\n"u8);
    }

    private static void ThrowIfNotField(string? value, string parameter)
    {
        if (value.AsSpan().ContainsAny(s_notInField))
            throw new ArgumentException("It has a line end or a NUL, which would end the field.", parameter);
    }
}
