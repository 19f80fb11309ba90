using System.Runtime.CompilerServices;
using System.Text;
using NetGo.Netpoll;

namespace NetGo.Http.Testing;

/// <summary>Makes requests for tests that call a handler themselves; see <see cref="ResponseRecorder"/>. They have been through
/// the server's
/// parser, and their content goes through its framing: only the connection is not there.</summary>
/// <example><code>
/// Request request = TestRequest.Create("GET", "/hello/gopher");
/// var recorder = new ResponseRecorder(request);
/// await handler.ServeHttpAsync(recorder, request);
/// </code></example>
public static class TestRequest
{
    private static readonly Server s_limits = NewLimits();
    private static readonly ConditionalWeakTable<Request, Loan> s_loans = [];

    /// <summary>Makes a request as a server gets it; Go's httptest.NewRequest. Fields may be added to its
    /// <see cref="Request.Header"/> as
    /// long as nobody has used it, but those that decide about the message itself (Host, Connection, Expect, Content-Length,
    /// Transfer-Encoding) belong into the options. Its <see cref="Request.Context"/> does not end by itself: set one that
    /// does.</summary>
    /// <param name="method">For example "GET".</param>
    /// <param name="target">For example "/path?query", or "http://host/path".</param>
    /// <param name="content">Text, to be sent as UTF-8; null for a request without content.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <exception cref="ArgumentException">The server would refuse the request: the message says why.</exception>
    public static Request Create(string method, string target, string? content = null, TestRequestOptions? options = null) =>
        Create(method, target, Encoding.UTF8.GetBytes(content ?? ""), hasContent: content is not null, options ?? new TestRequestOptions());

    /// <summary>As <see cref="Create(string, string, string, TestRequestOptions)"/>, with content that is not text.</summary>
    /// <param name="method">For example "PUT".</param>
    /// <param name="target">For example "/path?query".</param>
    /// <param name="content">The content.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <inheritdoc cref="Create(string, string, string, TestRequestOptions)" path="/exception"/>
    public static Request Create(string method, string target, ReadOnlyMemory<byte> content, TestRequestOptions? options = null) =>
        Create(method, target, content, hasContent: true, options ?? new TestRequestOptions());

    private static Request Create(string method, string target, ReadOnlyMemory<byte> content, bool hasContent, TestRequestOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(method);
        ArgumentException.ThrowIfNullOrEmpty(target);
        byte[] head = HeadOf(method, target, content.Length, hasContent, options);
        var input = new InMemoryPipe(head.Length + content.Length);
        _ = input.TryWrite(head);
        _ = input.TryWrite(content.Span);
        input.End(); // of what can be read: nobody is told that the client has gone, for nobody reads yet
        var output = new InMemoryPipe(BufferPool.LargeSize);
        var transport = new InMemoryTransport(GoScheduler.Current, input, output, options.LocalEndPoint, options.RemoteEndPoint);
        var exchange = Http1Exchange.Rent(new Http1Connection(s_limits, transport, Context.Background, tls: null));
        s_loans.Add(exchange.Request, new Loan(exchange));
        Parse(exchange);
        exchange.Request.Header.ReadAll();
        return exchange.Request;
    }

    private static byte[] HeadOf(string method, string target, int contentLength, bool hasContent, TestRequestOptions options)
    {
        var head = new StringBuilder();
        AppendLine($"{method} {target} {options.Protocol}");
        if (!options.Header.Contains("Host"))
            AppendLine("Host: example.com");
        foreach ((string name, string value) in options.Header)
            AppendLine($"{name}: {value}");
        if (hasContent && !options.Header.Contains("Content-Length") && !options.Header.Contains("Transfer-Encoding"))
            AppendLine($"Content-Length: {contentLength}");
        AppendLine("");
        return Encoding.Latin1.GetBytes(head.ToString());

        void AppendLine(string line)
        {
            if (!HttpSyntax.IsFieldValue(line))
                throw new ArgumentException($"\"{line}\" holds a character that a request cannot: encode it.", nameof(target));
            head.Append(line).Append("\r\n");
        }
    }

    private static void Parse(Http1Exchange exchange)
    {
        while (true)
        {
            switch (exchange.ParseHead())
            {
                case RequestParser.Outcome.Complete:
                    exchange.BeginContent();
                    return;
                case RequestParser.Outcome.Refused:
                    throw new ArgumentException(
                        $"The server would refuse this request with {exchange.Parser.RefusalStatus}: {exchange.Parser.RefusalReason}.");
            }
            if (!exchange.TryTakeInputBuffer())
                throw new InsufficientMemoryException("The buffer pool is at its limit.");
            if (exchange.FillHead() <= 0)
                throw new ArgumentException("The request's head has no end.");
        }
    }

    private static Server NewLimits()
    {
        var server = new Server { MaxRequestBodySize = long.MaxValue };
        server.ReadProperties();
        return server;
    }

    // Nobody disposes of a request: its buffer goes back to the pool when nobody knows it any more.
    private sealed class Loan(Http1Exchange exchange)
    {
        ~Loan() => exchange.Return();
    }
}
