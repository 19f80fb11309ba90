using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using NetGo.Netpoll;

namespace NetGo.Http;

// One request on its way through a proxy. All of it is the handler's goroutine, but for the client's content (ProxiedContent) and one direction
// of a tunnel; both have ended when it ends.
internal sealed class ProxyExchange : IDisposable
{
    private readonly ReverseProxy _proxy;
    private readonly ResponseWriter _response;
    private readonly Request _request;
    private readonly GoScheduler _scheduler = GoScheduler.Current;
    private readonly ProxyDeadline _deadline;
    private OwnConnection? _own;
    private ProxiedContent? _content;
    private HttpResponseMessage? _answer;

    public ProxyExchange(ReverseProxy proxy, ResponseWriter response, Request request)
    {
        _proxy = proxy;
        _response = response;
        _request = request;
        _deadline = new ProxyDeadline(proxy.ResponseTimeout, request.Aborted);
    }

    public async ValueTask RunAsync(OutgoingRequest outgoing)
    {
        using HttpRequestMessage message = MakeMessage(outgoing);
        string? protocol;
        try
        {
            _answer = await SendAsync(message, outgoing);
            ProxiedResponse.ThrowUnlessClear(_answer);
            if (_proxy.ModifyResponse is { } modify)
                await modify(_answer);
            protocol = ProxiedResponse.ProtocolOf(_answer, outgoing);
            ProxiedResponse.CopyFields(_answer, _response, _request.IsHttp10);
        }
        catch (Exception e)
        {
            await AnswerFailureAsync(e);
            return;
        }
        if (protocol is not null)
            await SwitchAsync(protocol);
        else
            await PassContentAsync();
    }

    public void Dispose()
    {
        _answer?.Dispose();
        _own?.Dispose();
        _deadline.Dispose();
    }

    // ---- The request ----

    private HttpRequestMessage MakeMessage(OutgoingRequest outgoing)
    {
        var message = new HttpRequestMessage(new HttpMethod(outgoing.Method), outgoing.ToUri())
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        ProxyTransport.SetScheduler(message, _scheduler);
        if (!string.IsNullOrEmpty(outgoing.Host))
            SetHost(message, outgoing.Host);
        // HttpClient sends a request again, on a new connection, when the old one has ended instead of answering; but never one with content.
        if (_request.ContentLength != 0 || !IsIdempotent(outgoing.Method))
            AddContent(message);
        foreach ((string name, string value) in outgoing.Header)
        {
            if (HopByHop.IsFraming(name) || message.Headers.TryAddWithoutValidation(name, value))
                continue;
            AddContent(message);
            message.Content!.Headers.TryAddWithoutValidation(name, value);
        }
        if (_request.ContentLength == 0)
            message.Headers.Remove("Expect");
        return message;
    }

    private void SetHost(HttpRequestMessage message, string host)
    {
        try
        {
            message.Headers.Host = host;
        }
        catch (FormatException e) when (host == _request.Host)
        {
            throw new BadRequestException($"The host {LogText.Of(host)} cannot be asked for.", e);
        }
    }

    private void AddContent(HttpRequestMessage message) =>
        message.Content ??= _content = new ProxiedContent(_request.Body, _request.ContentLength, _scheduler, _deadline);

    // RFC 9110, section 9.2.2.
    private static bool IsIdempotent(string method) => method is "GET" or "HEAD" or "OPTIONS" or "TRACE" or "PUT" or "DELETE";

    private async ValueTask<HttpResponseMessage> SendAsync(HttpRequestMessage message, OutgoingRequest outgoing)
    {
        HttpMessageInvoker invoker = _proxy.Transport is null && outgoing.Header.Contains("Upgrade")
            ? (_own = new OwnConnection()).Invoker
            : _proxy.Invoker;
        _deadline.Start();
        HttpResponseMessage answer;
        try
        {
            answer = await invoker.SendAsync(message, _deadline.Token);
            _deadline.Stop();
        }
        catch (Exception e)
        {
            bool inTime = !_deadline.HasPassed;
            _deadline.Cancel();
            if (_content is not null)
                await _content.EndAsync();
            if (_content?.ClientFailure is { } failure)
                ExceptionDispatchInfo.Throw(failure);
            if (inTime && !IsTimeout(e))
                throw;
            throw new TimeoutException("The backend has not answered in time.", e);
        }
        if (_content is not null)
            await _content.EndAsync();
        return answer;
    }

    private static bool IsTimeout(Exception? e)
    {
        for (; e is not null; e = e.InnerException)
        {
            if (e is TimeoutException or SocketException { SocketErrorCode: SocketError.TimedOut })
                return true;
        }
        return false;
    }

    private ValueTask AnswerFailureAsync(Exception e)
    {
        // What the client has broken the server answers, and what it has no memory for.
        if (ReferenceEquals(e, _content?.ClientFailure) || e is InsufficientMemoryException)
            ExceptionDispatchInfo.Throw(e);
        int status = e is TimeoutException ? 504 : 502;
        string method = LogText.Of(_request.Method);
        string target = LogText.Of(_request.Target);
        if (_request.Aborted.IsCancellationRequested)
            ProxyLog.ClientGone(_proxy.Logger, method, target, e);
        else
            ProxyLog.Failed(_proxy.Logger, method, target, status, e);
        return _proxy.ErrorHandler is { } handler ? handler(_response, _request, e) : _response.ErrorAsync(status);
    }

    // ---- The response ----

    private async ValueTask PassContentAsync()
    {
        HttpResponseMessage answer = _answer!;
        _response.WriteHeader((int)answer.StatusCode);
        if (_request.IsHead || answer.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotModified)
            return;
        NetBuffer? buffer = null;
        try
        {
            Stream content = await answer.Content.ReadAsStreamAsync(CancellationToken.None);
            while (true)
            {
                ValueTask<int> ready = content.ReadAsync(Memory<byte>.Empty, _deadline.Token);
                if (!ready.IsCompleted)
                {
                    // Nothing is held back, and no memory held, while the backend is waited for.
                    buffer?.Return();
                    buffer = null;
                    await _response.FlushAsync();
                }
                buffer ??= await _scheduler.Buffers.RentAsync(BufferPool.LargeSize, _deadline.Token);
                int n = await ReadAsync(content, ready, buffer.Memory);
                if (n == 0)
                    break;
                await _response.WriteAsync(buffer.Memory[..n]);
            }
        }
        catch (Exception e) when (_request.Aborted.IsCancellationRequested)
        {
            throw new IOException("The client has gone away.", e); // which nobody needs to be told of
        }
        finally
        {
            buffer?.Return();
        }
        ProxiedResponse.CopyTrailer(answer, _response);
    }

    private async ValueTask<int> ReadAsync(Stream content, ValueTask<int> ready, Memory<byte> buffer)
    {
        try
        {
            await ready;
            return await content.ReadAsync(buffer, _deadline.Token);
        }
        catch (Exception e) when (!_request.Aborted.IsCancellationRequested)
        {
            ProxyLog.BrokeOff(_proxy.Logger, LogText.Of(_request.Method), LogText.Of(_request.Target), e);
            await _response.FlushAsync(); // so that what the server makes of this is no whole response, but the connection's end
            throw new IOException("The backend has broken off its response.", e);
        }
    }

    // ---- Another protocol ----

    private async ValueTask SwitchAsync(string protocol)
    {
        using Stream backend = await _answer!.Content.ReadAsStreamAsync(CancellationToken.None);
        await using HijackedStream client = await _response.UpgradeAsync(protocol);
        // TLS has no half-close that both streams would know of.
        NetConnection? clientSocket = _request.Tls is null ? client.Connection : null;
        NetConnection? backendSocket = _answer.RequestMessage?.RequestUri?.Scheme == Uri.UriSchemeHttp ? _own?.Connection : null;
        var tunnel = new ProxyTunnel(client, clientSocket, backend, backendSocket);
        await tunnel.RunAsync(_proxy.Disposed);
    }
}
