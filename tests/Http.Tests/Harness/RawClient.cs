using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace NetGo.Http.Tests;

/// <summary>A client that sends whatever bytes a test wants, and reads responses by the framing rules of RFC 9112, section 6.
/// All waits are bounded: a server that hangs fails the test. Text is Latin-1.</summary>
internal sealed class RawClient : IDisposable
{
    public const int BoundMilliseconds = 10_000;

    private readonly Socket _socket;
    private byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    public RawClient(IPEndPoint endPoint, int receiveBufferSize = 0, IPAddress? from = null)
    {
        _socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (from is not null)
            _socket.Bind(new IPEndPoint(from, 0));
        if (receiveBufferSize > 0)
            _socket.ReceiveBufferSize = receiveBufferSize;
        _socket.ReceiveTimeout = BoundMilliseconds;
        _socket.SendTimeout = BoundMilliseconds;
        _socket.Connect(endPoint);
    }

    public Socket Socket => _socket;

    /// <summary>Whether the server's end was a reset and no FIN.</summary>
    public bool WasReset { get; private set; }

    /// <summary>Nothing has been received that no response has used up.</summary>
    public bool NothingReceived => _start == _end && _socket.Available == 0;

    public void Send(string text) => Send(Encoding.Latin1.GetBytes(text));

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[_socket.Send(bytes)..];
    }

    /// <summary>Sends to a server that may be about to close the connection.</summary>
    public void SendAnyway(string text)
    {
        try
        {
            Send(text);
        }
        catch (SocketException exception) when (exception.SocketErrorCode is not (SocketError.TimedOut or SocketError.WouldBlock))
        {
        }
    }

    public void HalfClose()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The server has closed the connection.
        }
    }

    public void Reset()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Dispose();
    }

    /// <summary>Sends a request and reads its final response.</summary>
    public RawResponse Exchange(string request)
    {
        Send(request);
        return ReadResponse(request.StartsWith("HEAD ", StringComparison.Ordinal) ? "HEAD" : "GET");
    }

    /// <summary>Reads the final response, past interim ones.</summary>
    public RawResponse ReadResponse(string method = "GET")
    {
        while (true)
        {
            RawResponse response = ReadAnyResponse(method);
            if (response.StatusCode >= 200)
                return response;
        }
    }

    /// <summary>Reads one response, final or interim.</summary>
    public RawResponse ReadAnyResponse(string method = "GET")
    {
        string statusLine = ReadLine() ?? throw new EndOfStreamException("The server closed the connection where a response was expected.");
        RawResponse response = RawResponse.FromStatusLine(statusLine);
        ReadFields(response.Fields);

        if (method == "HEAD" || response.StatusCode is < 200 or 204 or 304)
            return response;

        if (response.Get("Transfer-Encoding") is { } coding)
        {
            Assert.Equal("chunked", coding);
            Assert.False(response.Has("Content-Length"), "Transfer-Encoding and Content-Length together (RFC 9112, section 6.2)");
            ReadChunks(response);
        }
        else if (response.Get("Content-Length") is { } length)
        {
            response.Content = ReadExactly(int.Parse(length, NumberStyles.None, CultureInfo.InvariantCulture), out bool complete);
            response.IsComplete = complete;
        }
        else
        {
            response.Content = ReadToEnd();
            response.EndedByClose = true;
        }

        return response;
    }

    /// <summary>All that comes until the server closes the connection.</summary>
    public byte[] ReadToEnd()
    {
        while (Fill())
        {
        }

        byte[] all = _buffer.AsSpan(_start.._end).ToArray();
        _start = _end = 0;
        return all;
    }

    public void AssertClosed()
    {
        byte[] rest = ReadToEnd();
        Assert.True(rest.Length == 0, "Expected the end of the connection, got: " + Encoding.Latin1.GetString(rest.AsSpan(0, Math.Min(rest.Length, 500))));
    }

    public byte[] ReadExactly(int count, out bool complete)
    {
        while (_end - _start < count && Fill())
        {
        }

        int length = Math.Min(count, _end - _start);
        complete = length == count;
        byte[] bytes = _buffer.AsSpan(_start, length).ToArray();
        _start += length;
        return bytes;
    }

    /// <summary>Reads as many responses as end with some content; returns the length of all of them.</summary>
    public int ReadToLastContent(ReadOnlySpan<byte> content, int responses)
    {
        int length = 0;
        for (; responses > 0; responses--)
        {
            int found;
            while ((found = _buffer.AsSpan(_start.._end).IndexOf(content)) < 0)
                Assert.True(Fill(), "The server closed the connection.");
            length += found + content.Length;
            _start += found + content.Length;
        }

        return length;
    }

    private void ReadChunks(RawResponse response)
    {
        var content = new MemoryStream();
        while (true)
        {
            string? sizeLine = ReadLine();
            if (sizeLine == null)
            {
                response.IsComplete = false;
                break;
            }

            int size = int.Parse(sizeLine, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (size == 0)
            {
                ReadFields(response.Trailer);
                break;
            }

            response.ChunkCount++;
            content.Write(ReadExactly(size, out bool complete));
            if (!complete || ReadLine() is not { } end)
            {
                response.IsComplete = false;
                break;
            }

            Assert.Equal("", end);
        }

        response.Content = content.ToArray();
    }

    private void ReadFields(List<KeyValuePair<string, string>> fields)
    {
        while (true)
        {
            string line = ReadLine() ?? throw new EndOfStreamException("The server closed the connection within a response's fields.");
            if (line.Length == 0)
                return;
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            Assert.True(colon > 0, "Not a field line: " + line);
            fields.Add(new(line[..colon], line[(colon + 1)..].Trim(' ', '\t')));
        }
    }

    /// <summary>A line without its CR LF; null when the connection ends before it does.</summary>
    private string? ReadLine()
    {
        int searched = 0;
        while (true)
        {
            int end = _buffer.AsSpan((_start + searched).._end).IndexOf("\r\n"u8);
            if (end >= 0)
            {
                end += searched;
                string line = Encoding.Latin1.GetString(_buffer, _start, end);
                _start += end + 2;
                return line;
            }

            searched = Math.Max(0, _end - _start - 1);
            if (!Fill())
                return null;
        }
    }

    private bool Fill()
    {
        if (_start == _end)
            _start = _end = 0;
        if (_end == _buffer.Length)
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start.._end).CopyTo(_buffer);
                _end -= _start;
                _start = 0;
            }
            else
            {
                Array.Resize(ref _buffer, _buffer.Length * 2);
            }
        }

        try
        {
            int count = _socket.Receive(_buffer.AsSpan(_end), SocketFlags.None);
            _end += count;
            return count > 0;
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            throw new TimeoutException($"Nothing from the server for {BoundMilliseconds} ms. Unread until then: \"" +
                Encoding.Latin1.GetString(_buffer.AsSpan(_start.._end)[..Math.Min(_end - _start, 500)]) + "\"");
        }
        catch (SocketException)
        {
            WasReset = true;
            return false;
        }
    }

    public void Dispose() => _socket.Dispose();
}
