using System.Buffers;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace NetGo.Http;

public sealed partial class Request
{
    /// <summary>The default limit of <see cref="ReadJsonAsync"/> and <see cref="ReadFormAsync"/>: 4 MiB.</summary>
    public const int DefaultMaxContentLength = 4 * 1024 * 1024;

    private NamedValues? _form;

    /// <summary>Reads the content as JSON (RFC 8259).</summary>
    /// <param name="type">Its source-generated contract: no reflection is needed.</param>
    /// <param name="maxLength">The longest content, in bytes.</param>
    /// <param name="cancellationToken">Ends the wait for the client.</param>
    /// <returns>The value; null when the content is the literal null.</returns>
    /// <exception cref="BadRequestException">415: the content type is not application/json or +json, or not UTF-8. 413: it is too long.
    /// 400: it is empty, malformed, or does not fit the type; the message says where.</exception>
    public async ValueTask<T?> ReadJsonAsync<T>(
        JsonTypeInfo<T> type, int maxLength = DefaultMaxContentLength, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(type);
        if (!IsJson(ContentType))
            throw new BadRequestException(415, "The content must be JSON: Content-Type is not application/json with UTF-8.");
        byte[] buffer = ArrayPool<byte>.Shared.Rent(InitialLength(maxLength));
        try
        {
            (buffer, int length) = await ReadAllAsync(buffer, maxLength, cancellationToken);
            return Deserialize(buffer.AsSpan(0, length), type);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads the content as a form of the type application/x-www-form-urlencoded; Go's ParseForm and PostForm. The same form is
    /// returned when it is asked for again.</summary>
    /// <param name="maxLength">The longest content, in bytes.</param>
    /// <param name="maxValues">The most values.</param>
    /// <param name="cancellationToken">Ends the wait for the client.</param>
    /// <exception cref="BadRequestException">415: the content is no such form. 413: it is too long. 400: it has too many values, or an escape
    /// is malformed, or there is a semicolon, which others read as a separator.</exception>
    public async ValueTask<NamedValues> ReadFormAsync(
        int maxLength = DefaultMaxContentLength, int maxValues = 1024, CancellationToken cancellationToken = default)
    {
        if (_form is { } known)
            return known;
        if (!IsUrlEncoded(ContentType))
            throw new BadRequestException(415, "The content must be a form: Content-Type is not application/x-www-form-urlencoded.");
        byte[] buffer = ArrayPool<byte>.Shared.Rent(InitialLength(maxLength));
        try
        {
            (buffer, int length) = await ReadAllAsync(buffer, maxLength, cancellationToken);
            return _form = ParseForm(buffer.AsSpan(0, length), maxValues);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static NamedValues ParseForm(ReadOnlySpan<byte> content, int maxValues)
    {
        if (content.Count((byte)'&') >= maxValues) // before any string is made
            throw new BadRequestException(400, $"The form has more than {maxValues} values.");
        var form = new NamedValues();
        return form.AddEncoded(content) ? form : throw new BadRequestException(400, "The form has a malformed escape or a semicolon.");
    }

    /// <summary>The first value of a name in the form, else in the query, else null; Go's FormValue. The form is read for POST, PUT and PATCH, if
    /// the content is one.</summary>
    /// <param name="name">The name.</param>
    /// <param name="cancellationToken">Ends the wait for the client.</param>
    /// <exception cref="BadRequestException">As <see cref="ReadFormAsync"/> and <see cref="ReadMultipartFormAsync"/>, but for 415.</exception>
    public async ValueTask<string?> FormValueAsync(string name, CancellationToken cancellationToken = default) =>
        await PostFormValueAsync(name, cancellationToken) ?? QueryValues[name];

    /// <summary>As <see cref="FormValueAsync"/>, of the form alone; Go's PostFormValue.</summary>
    /// <inheritdoc cref="FormValueAsync"/>
    public async ValueTask<string?> PostFormValueAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Method is not ("POST" or "PUT" or "PATCH"))
            return null;
        if (IsUrlEncoded(ContentType))
            return (await ReadFormAsync(cancellationToken: cancellationToken))[name];
        return BoundaryOf(ContentType) is null ? null : (await ReadMultipartFormAsync(cancellationToken: cancellationToken)).Values[name];
    }

    private static bool IsUrlEncoded(MediaTypeHeaderValue? type) =>
        type?.MediaType is { } name && name.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase);

    private static bool IsJson(MediaTypeHeaderValue? type) =>
        type?.MediaType is { } name &&
        (name.Equals("application/json", StringComparison.OrdinalIgnoreCase) || name.EndsWith("+json", StringComparison.OrdinalIgnoreCase)) &&
        (type.CharSet is not { } charset || charset.AsSpan().Trim('"').Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    private static T? Deserialize<T>(ReadOnlySpan<byte> content, JsonTypeInfo<T> type)
    {
        if (content.StartsWith("\uFEFF"u8)) // RFC 8259, 8.1: a byte order mark may be ignored
            content = content[3..];
        if (content.IsEmpty)
            throw new BadRequestException(400, "The content is empty where JSON is expected.");
        try
        {
            return JsonSerializer.Deserialize(content, type);
        }
        catch (JsonException e)
        {
            // The exception's own message names types of the program, and its path may hold what the client sent.
            throw new BadRequestException(
                $"The content is malformed JSON, or not what is expected, at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.", e);
        }
    }

    private int InitialLength(int maxLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxLength);
        if (ContentLength > maxLength)
            throw TooLong(maxLength);
        // What a client only announces costs no memory. One byte more shows the end.
        return (int)Math.Clamp(ContentLength, 1024, 64 * 1024) + 1;
    }

    // Reads into a rented buffer and returns it, or the larger one that has taken its place.
    private async ValueTask<(byte[] Buffer, int Length)> ReadAllAsync(byte[] buffer, int maxLength, CancellationToken cancellationToken)
    {
        byte[] current = buffer;
        int length = 0;
        try
        {
            while (true)
            {
                if (length == current.Length)
                {
                    byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min((long)length * 2, (long)maxLength + 1));
                    current.AsSpan(0, length).CopyTo(larger);
                    if (current != buffer)
                        ArrayPool<byte>.Shared.Return(current);
                    current = larger;
                }
                int n = await Body.ReadAsync(current.AsMemory(length), cancellationToken);
                if (n == 0)
                    break;
                length += n;
                if (length > maxLength)
                    throw TooLong(maxLength);
            }
        }
        catch when (current != buffer)
        {
            ArrayPool<byte>.Shared.Return(current);
            throw;
        }
        if (current != buffer)
            ArrayPool<byte>.Shared.Return(buffer);
        return (current, length);
    }

    private static BadRequestException TooLong(int maxLength) => new(413, $"The content is longer than {maxLength} bytes.");

    private void ResetContent() => _form = null;
}
