using System.Net;

namespace NetGo.Http.Testing;

/// <summary>What a <see cref="TestRequest"/> has besides method, target and content.</summary>
public sealed class TestRequestOptions
{
    /// <summary>The fields. Host is "example.com" unless it is here, and Content-Length is the content's unless it, or
    /// Transfer-Encoding, is
    /// here: then the content is sent as it is.</summary>
    public HeaderFields Header { get; } = new();

    /// <summary>"HTTP/1.1", or "HTTP/1.0".</summary>
    public string Protocol { get; set; } = "HTTP/1.1";

    /// <summary>The client's address. 192.0.2.1:1234 by default, as in Go.</summary>
    public EndPoint RemoteEndPoint { get; set; } = new IPEndPoint(new IPAddress([192, 0, 2, 1]), 1234);

    /// <summary>The server's address. 192.0.2.2:80 by default.</summary>
    public EndPoint LocalEndPoint { get; set; } = new IPEndPoint(new IPAddress([192, 0, 2, 2]), 80);
}
