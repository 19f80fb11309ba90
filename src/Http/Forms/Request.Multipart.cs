using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using MediaTypeHeaderValue = System.Net.Http.Headers.MediaTypeHeaderValue;

namespace NetGo.Http;

public sealed partial class Request
{
    private const int MaxBoundaryLength = 70; // RFC 2046, 5.1.1

    private MultipartForm? _multipart;

    /// <summary>Reads the content as a form of the type multipart/form-data; Go's ParseMultipartForm. The same form is returned when it is asked
    /// for again. Its temporary files are deleted when it is disposed of, or when the request has ended.</summary>
    /// <param name="limits">What it may have; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the wait for the client.</param>
    /// <exception cref="BadRequestException">415: the content is no such form. 413: it, or its values, are too long. 400: it is malformed, or has
    /// too many parts, or a part has too long a head.</exception>
    public async ValueTask<MultipartForm> ReadMultipartFormAsync(MultipartLimits? limits = null, CancellationToken cancellationToken = default)
    {
        if (_multipart is { } known)
            return known;
        limits ??= MultipartLimits.Default;
        string boundary = BoundaryOf(ContentType) ??
            throw new BadRequestException(415, "The content must be a form: Content-Type is not multipart/form-data with a boundary.");
        if (ContentLength > limits.MaxLength)
            throw new BadRequestException(413, $"The content is longer than {limits.MaxLength} bytes.");
        var content = new LimitedContent(Body, limits.MaxLength);
        var form = new MultipartForm();
        try
        {
            var reader = new MultipartReader(boundary, content)
            {
                HeadersCountLimit = limits.MaxPartHeaderCount,
                HeadersLengthLimit = limits.MaxPartHeaderBytes,
            };
            await form.ReadAsync(reader, limits, cancellationToken);
            return _multipart = form;
        }
        catch (Exception e)
        {
            form.Dispose();
            // The reader's own: of a limit, and of an end in the middle of a part.
            if (e is InvalidDataException || (e is IOException and not BadRequestException && content.HasEnded))
                throw new BadRequestException("The form is malformed, or a part has too long a head.", e);
            throw;
        }
    }

    private static string? BoundaryOf(MediaTypeHeaderValue? type)
    {
        if (type?.MediaType is not { } name || !name.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
            return null;
        string[] boundaries = [.. type.Parameters
            .Where(parameter => parameter.Name.Equals("boundary", StringComparison.OrdinalIgnoreCase))
            .Select(parameter => HeaderUtilities.UnescapeAsQuotedString(parameter.Value).Value ?? "")];
        return boundaries is [{ Length: > 0 and <= MaxBoundaryLength } boundary] && !boundary.AsSpan().ContainsAnyExceptInRange(' ', '~') ? boundary : null;
    }

    private void ReleaseMultipart()
    {
        _multipart?.Dispose();
        _multipart = null;
    }
}
