using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Deployment;

/// <summary>A client's connection, which does one request after the other and never sends one again.</summary>
internal sealed class HttpConnection : IDisposable
{
    private readonly TcpClient _client = new() { NoDelay = true };
    private readonly byte[] _buffer = new byte[4096];
    private string _host = "";

    /// <summary>Whether there may be another request.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>How many there were.</summary>
    public int Answers { get; private set; }

    public static async Task<HttpConnection> OpenAsync(Uri service, CancellationToken cancellationToken)
    {
        var connection = new HttpConnection { _host = service.Authority };
        try
        {
            await connection._client.ConnectAsync(service.Host, service.Port, cancellationToken);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
        connection.IsOpen = true;
        return connection;
    }

    /// <summary>Returns the content of the answer, without the end of its line.</summary>
    /// <param name="path">The request's target.</param>
    /// <param name="keep">Whether the connection is to be kept.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ConnectionClosedException">Nothing of an answer came.</exception>
    /// <exception cref="IOException">Not all of it came, or it is not a 200.</exception>
    public async Task<string> GetAsync(string path, bool keep, CancellationToken cancellationToken)
    {
        NetworkStream stream = _client.GetStream();
        string request = $"GET {path} HTTP/1.1\r\nHost: {_host}\r\n{(keep ? "" : "Connection: close\r\n")}\r\n";
        int have = 0;
        IsOpen = false;
        try
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(request), cancellationToken);
            int headLength;
            while ((headLength = _buffer.AsSpan(0, have).IndexOf("\r\n\r\n"u8)) < 0)
                have += await ReadAsync(stream, have, cancellationToken);
            string[] head = Encoding.ASCII.GetString(_buffer, 0, headLength).Split("\r\n");
            if (!head[0].StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal))
                throw new IOException($"the answer is {head[0]}");
            int length = int.Parse(Field(head, "Content-Length") ?? "", CultureInfo.InvariantCulture);
            int end = headLength + 4 + length;
            while (have < end)
                have += await ReadAsync(stream, have, cancellationToken);
            Answers++;
            IsOpen = keep && Field(head, "Connection") is null;
            return Encoding.ASCII.GetString(_buffer, headLength + 4, length).TrimEnd();
        }
        catch (IOException e) when (have == 0 && e.InnerException is SocketException)
        {
            throw new ConnectionClosedException(); // a reset
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<int> ReadAsync(NetworkStream stream, int have, CancellationToken cancellationToken)
    {
        int count = await stream.ReadAsync(_buffer.AsMemory(have), cancellationToken);
        return count > 0 ? count : throw (have == 0 ? new ConnectionClosedException() : new IOException("the answer is cut short"));
    }

    private static string? Field(string[] head, string name) =>
        head.Skip(1).FirstOrDefault(line => line.StartsWith($"{name}: ", StringComparison.OrdinalIgnoreCase))?[(name.Length + 2)..];
}
