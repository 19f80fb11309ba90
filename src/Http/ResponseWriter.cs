using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

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
    /// none (204, 304).</exception>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default);

    /// <summary>Sends what is buffered; Go's Flusher.</summary>
    /// <param name="cancellationToken">Ends the wait for a slow client. The connection cannot be used after that.</param>
    /// <exception cref="IOException">The connection failed.</exception>
    public abstract ValueTask FlushAsync(CancellationToken cancellationToken = default);

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
