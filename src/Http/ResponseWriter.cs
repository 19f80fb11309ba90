using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Win32.SafeHandles;

namespace NetGo.Http;

/// <summary>Makes the answer to a request; Go's http.ResponseWriter. The head is fixed by the first byte of content or by
/// <see cref="WriteHeader"/>: fields set later are not sent. Up to 60 KiB of content are buffered; an answer that ends
/// within that gets a Content-Length, a longer one is sent chunked unless the handler has set Content-Length. Abstract,
/// so that middleware can wrap it. Not thread-safe.</summary>
public abstract class ResponseWriter : IBufferWriter<byte>
{
    [ThreadStatic]
    private static Utf8JsonWriter? t_json;

    /// <summary>The fields to be sent. Date is added by the server, and the framing fields unless they are set.</summary>
    public abstract HeaderFields Header { get; }

    /// <summary>The status code: 200 unless <see cref="WriteHeader"/> was called.</summary>
    public abstract int StatusCode { get; }

    /// <summary>Whether status and fields are fixed.</summary>
    public abstract bool HeaderWritten { get; }

    /// <summary>Fixes the status and the fields; Go's WriteHeader. A second call is ignored, as in Go.</summary>
    /// <param name="statusCode">200 to 999.</param>
    /// <exception cref="ArgumentOutOfRangeException">The code is not one of a final response.</exception>
    public abstract void WriteHeader(int statusCode);

    /// <summary>Writes content. Completes at once while it fits the buffer, else when it has been given to the system.</summary>
    /// <param name="content">The bytes.</param>
    /// <param name="cancellationToken">Ends the wait for a slow client. The connection cannot be used after that.</param>
    /// <exception cref="IOException">The connection failed.</exception>
    /// <exception cref="InvalidOperationException">More than the declared Content-Length, or content in a response that has
    /// none (204, 205, 304, or 2xx to CONNECT).</exception>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default);

    /// <summary>Sends what is buffered; Go's Flusher.</summary>
    /// <param name="cancellationToken">Ends the wait for a slow client. The connection cannot be used after that.</param>
    /// <exception cref="IOException">The connection failed.</exception>
    public abstract ValueTask FlushAsync(CancellationToken cancellationToken = default);

    /// <summary>Writes a part of a file. Where the connection allows it the bytes do not pass through the process (sendfile(2)).</summary>
    /// <param name="file">Open for reading; it stays the caller's.</param>
    /// <param name="offset">The first byte, in bytes.</param>
    /// <param name="count">How many bytes.</param>
    /// <param name="cancellationToken">Ends the wait for a slow client. The connection cannot be used after that.</param>
    /// <exception cref="EndOfStreamException">The file ends before that.</exception>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)" path="/exception"/>
    public virtual ValueTask SendFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken = default) =>
        CopyFileAsync(file, offset, count, cancellationToken);

    /// <summary>As <see cref="SendFileAsync"/>, by <see cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)"/>.</summary>
    private protected async ValueTask CopyFileAsync(SafeFileHandle file, long offset, long count, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        using NetBuffer buffer = BufferPool.Shared.Rent((int)Math.Min(count, BufferPool.LargeSize));
        for (long sent = 0; sent < count;)
        {
            Memory<byte> piece = buffer.Memory[..(int)Math.Min(count - sent, buffer.Length)];
            long position = offset + sent;
            int n = Go.Blocking(() => RandomAccess.Read(file, piece.Span, position));
            if (n == 0)
                throw new EndOfStreamException($"The file has only {position} bytes: it was to be sent up to byte {offset + count}.");
            await WriteAsync(piece[..n], cancellationToken);
            sent += n;
        }
    }

    // ---- What not every response can do ----

    /// <summary>Fields that follow the content (RFC 9110, section 6.5). They may be set until the handler ends; a response that has some
    /// is sent chunked. They are not sent with HTTP/1.0, nor when the
    /// handler has set Content-Length, and never those that belong to the head.</summary>
    /// <exception cref="NotSupportedException">This writer has none.</exception>
    public virtual HeaderFields Trailer => throw NotSupported("trailer fields");

    /// <summary>Sends an informational response with the fields that are set so far, at once; Go's WriteHeader with such a code. 103 (Early Hints)
    /// is the usual one; 100 (Continue) is sent by reading the content.</summary>
    /// <param name="statusCode">102 to 199. 101 is sent by <see cref="UpgradeAsync"/>.</param>
    /// <param name="cancellationToken">Ends the wait for a slow client. The connection cannot be used after that.</param>
    /// <exception cref="ArgumentOutOfRangeException">The code is no such one.</exception>
    /// <exception cref="InvalidOperationException">The head of the final response has been written.</exception>
    /// <exception cref="NotSupportedException">This writer cannot.</exception>
    public virtual ValueTask WriteInformationalAsync(int statusCode, CancellationToken cancellationToken = default) =>
        throw NotSupported("informational responses");

    /// <summary>Takes the connection over, after what is buffered has been sent: the server will not touch it any more. Go's Hijacker.</summary>
    /// <param name="cancellationToken">Ends the wait for a slow client. The connection cannot be used after that.</param>
    /// <returns>The connection: to be disposed of by the caller. It reads first what has been received already.</returns>
    /// <exception cref="InvalidOperationException">The response has begun, or the content of the request has not been read.</exception>
    /// <exception cref="NotSupportedException">This writer cannot.</exception>
    public virtual ValueTask<HijackedStream> HijackAsync(CancellationToken cancellationToken = default) => throw NotSupported("hijacking");

    /// <summary>Switches to another protocol (RFC 9110, section 7.8): sends 101 with the fields that are set, Upgrade and Connection, and then
    /// takes the connection over as <see cref="HijackAsync"/> does.</summary>
    /// <param name="protocol">For Upgrade, for example "websocket".</param>
    /// <param name="cancellationToken">Ends the wait for a slow client. The connection cannot be used after that.</param>
    /// <inheritdoc cref="HijackAsync"/>
    public virtual ValueTask<HijackedStream> UpgradeAsync(string protocol, CancellationToken cancellationToken = default) =>
        throw NotSupported("switching protocols");

    /// <summary>The time, counted from now, by which reads of the content must end; Go's ResponseController.SetReadDeadline. It takes the place
    /// of <see cref="Server.ReadTimeout"/> and the minimum rate for this request.</summary>
    /// <param name="fromNow"><see cref="Timeout.InfiniteTimeSpan"/> for no deadline.</param>
    /// <exception cref="NotSupportedException">This writer has none.</exception>
    public virtual void SetReadDeadline(TimeSpan fromNow) => throw NotSupported("deadlines");

    /// <summary>As <see cref="SetReadDeadline"/>, for the response, and <see cref="Server.WriteTimeout"/>; Go's
    /// ResponseController.SetWriteDeadline.</summary>
    /// <inheritdoc cref="SetReadDeadline"/>
    public virtual void SetWriteDeadline(TimeSpan fromNow) => throw NotSupported("deadlines");

    /// <summary>Says that the handler goes on reading the content after it has begun to write; Go's ResponseController.EnableFullDuplex.
    /// Here that is always possible: what the server does with content that is left when the handler has ended stays the same.</summary>
    public virtual void EnableFullDuplex()
    {
    }

    private NotSupportedException NotSupported(string what) => new($"{GetType().Name} knows no {what}.");

    // ---- IBufferWriter ----

    /// <inheritdoc/>
    public abstract Memory<byte> GetMemory(int sizeHint = 0);

    /// <inheritdoc/>
    public abstract Span<byte> GetSpan(int sizeHint = 0);

    /// <inheritdoc/>
    public abstract void Advance(int count);

    /// <summary>Writes text as UTF-8.</summary>
    /// <param name="text">The text.</param>
    /// <param name="cancellationToken">Ends the wait for a slow client. The connection cannot be used after that.</param>
    /// <inheritdoc cref="WriteAsync(ReadOnlyMemory{byte}, CancellationToken)" path="/exception"/>
    public virtual ValueTask WriteAsync(string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        const int MaxDirect = 8 * 1024;
        int most = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (most > MaxDirect)
            return WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
        Advance(Encoding.UTF8.GetBytes(text, GetSpan(most)));
        return default;
    }

    /// <summary>Serializes a value as JSON into the buffer, and sets Content-Type unless it is set.</summary>
    /// <param name="value">The value.</param>
    /// <param name="type">Its source-generated contract: no reflection is needed.</param>
    /// <exception cref="JsonException">The value cannot be serialized.</exception>
    public void WriteJson<T>(T value, JsonTypeInfo<T> type)
    {
        if (!Header.Contains("Content-Type"))
            Header.Add("Content-Type", "application/json");
        Utf8JsonWriter writer = t_json ??= new Utf8JsonWriter(Stream.Null, new JsonWriterOptions { SkipValidation = true });
        try
        {
            writer.Reset(this);
            JsonSerializer.Serialize(writer, value, type);
            writer.Flush();
        }
        finally
        {
            writer.Reset(Stream.Null);
        }
    }
}
