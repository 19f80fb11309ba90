using System.Text;
using NetGo.Http;

namespace NetGo.Fuzz;

/// <summary>The server's HTTP/1.1 code, from the bytes of a connection to the bytes of its answers, over a <see cref="ScriptedTransport"/>.</summary>
internal sealed class HttpTarget
{
    private readonly Server _server;
    private readonly GoScheduler _scheduler;
    private readonly FailureLogger _log = new();
    private List<string> _requests = [];

    public HttpTarget(GoScheduler scheduler)
    {
        _scheduler = scheduler;
        _server = new Server { Handler = new HandlerFunc(HandleAsync), Logger = _log };
    }

    /// <summary>Runs a connection to its end.</summary>
    /// <param name="input">What the client sends.</param>
    /// <param name="cuts">Where it pauses, in ascending order.</param>
    /// <returns>What the handler saw, and what was answered, without what depends on time.</returns>
    /// <exception cref="InvalidOperationException">The server's fault.</exception>
    public async Task<(Understood Understood, string Answers)> RunAsync(byte[] input, int[] cuts)
    {
        _requests = [];
        var transport = new ScriptedTransport(_scheduler, input, cuts);
        if (!_server.TryServe(transport))
            throw new InvalidOperationException("The server takes no connection.");
        await transport.Ended.WaitAsync(TimeSpan.FromSeconds(20));
        if (_log.Failure is { } failure)
            throw new InvalidOperationException(failure);
        string answers = Encoding.Latin1.GetString(transport.Output).Replace("HTTP/1.1 100 Continue\r\n\r\n", "", StringComparison.Ordinal);
        List<int> statuses = AnswerReader.ReadStatuses(answers, transport.Aborted);
        bool refused = statuses.Count > _requests.Count || _requests is [.., var last] && last.EndsWith(Broken, StringComparison.Ordinal);
        return (new Understood(_requests, refused ? Ending.Refused : Ending.Clean), AnswerReader.WithoutDates(answers));
    }

    public const string Broken = " broken";

    private async ValueTask HandleAsync(ResponseWriter response, Request request)
    {
        List<string> requests = _requests;
        int index = requests.Count;
        requests.Add("");
        string line = $"{request.Method} {request.Target} {request.Host}";
        // Everything that a handler may ask a request for.
        _ = request.Path + request.Query + request.Protocol + request.ContentLength;
        foreach (KeyValuePair<string, string> field in request.Header)
            _ = request.Header.Get(field.Key)!.Length + field.Value.Length;
        try
        {
            var content = new MemoryStream();
            await request.Body.CopyToAsync(content);
            byte[] bytes = content.ToArray();
            requests[index] = $"{line} {bytes.Length} {Convert.ToHexString(bytes)}";
            if (request.Method != "CONNECT")
                await response.WriteAsync(bytes);
        }
        catch (Exception)
        {
            requests[index] = line + Broken;
            throw;
        }
    }
}
