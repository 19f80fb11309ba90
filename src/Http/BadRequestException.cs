namespace NetGo.Http;

/// <summary>The peer has broken the protocol or a limit while the handler was reading the body. A handler need not catch it:
/// the server answers with <see cref="StatusCode"/> if nothing has been sent, and closes the connection.</summary>
public sealed class BadRequestException : IOException
{
    /// <summary>Makes one for status 400.</summary>
    public BadRequestException()
        : this(400, "Bad request.")
    {
    }

    /// <summary>Makes one for status 400.</summary>
    /// <param name="message">What is wrong with the request.</param>
    public BadRequestException(string message)
        : this(400, message)
    {
    }

    /// <summary>Makes one for status 400.</summary>
    /// <param name="message">What is wrong with the request.</param>
    /// <param name="innerException">Its cause.</param>
    public BadRequestException(string message, Exception innerException)
        : base(message, innerException) => StatusCode = 400;

    /// <summary>Makes one.</summary>
    /// <param name="statusCode">The status to answer with.</param>
    /// <param name="message">What is wrong with the request.</param>
    public BadRequestException(int statusCode, string message)
        : base(message) => StatusCode = statusCode;

    /// <summary>The status to answer with: 400, 408, 413, 415 or 431.</summary>
    public int StatusCode { get; }
}
