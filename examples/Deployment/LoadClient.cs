using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Deployment;

/// <summary>Asks a service without a pause, and counts what was not answered: half of its clients keep their connection, half make one for
/// each request. HttpClient would not do: it sends a request that was lost again, and says nothing.</summary>
internal sealed class LoadClient(Uri service)
{
    private const int Clients = 8;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<string, bool> _processes = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private int _answered;
    private int _raced;
    private long _slowest;

    /// <summary>Asks until the time is over or the token cancelled.</summary>
    /// <returns>0 when every request was answered, or may have crossed the close of an idle connection; else 1.</returns>
    public async Task<int> RunAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(time);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(number => Task.Run(() => AskAsync(number % 2 == 0, end.Token), CancellationToken.None)));
        foreach (string failure in _failures.Take(10))
            Console.WriteLine($"FAILED: {failure}");
        Console.WriteLine(
            $"{_answered} requests answered by {_processes.Count} processes, {_failures.Count} failed, {_raced} sent again; the slowest took {_slowest} ms");
        // Each process closes a client's kept connection once: what was sent again more often than that was lost.
        int mostRaced = Clients / 2 * _processes.Count;
        if (_raced > mostRaced)
            Console.WriteLine($"FAILED: more than {mostRaced} requests crossed the close of an idle connection");
        return _failures.IsEmpty && _answered > 0 && _raced <= mostRaced ? 0 : 1;
    }

    private async Task AskAsync(bool keeps, CancellationToken end)
    {
        HttpConnection? connection = null;
        int number = 0;
        while (!end.IsCancellationRequested)
        {
            string path = number % 4 == 0 ? "/sleep?ms=20" : "/process";
            long start = Stopwatch.GetTimestamp();
            using var patience = new CancellationTokenSource(s_patience);
            try
            {
                connection ??= await HttpConnection.OpenAsync(service, patience.Token);
                string answer = await connection.GetAsync(path, keeps, patience.Token);
                number++;
                Interlocked.Increment(ref _answered);
                if (path == "/process")
                    _processes.TryAdd(answer, true);
            }
            catch (ConnectionClosedException) when (connection is { Answers: > 0 })
            {
                // It crossed the close of an idle connection, which HTTP/1.1 cannot avoid (RFC 9112, section 9.5).
                Interlocked.Increment(ref _raced);
                // It is sent again, on a new connection, and has to be answered there.
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or OperationCanceledException or FormatException)
            {
                number++;
                string what = connection is null ? "connecting" : $"request {connection.Answers + 1} of a connection, {path}";
                _failures.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{what}: {e.Message}"));
                connection?.Dispose();
                connection = null;
            }
            if (connection is { IsOpen: false })
            {
                connection.Dispose();
                connection = null;
            }
            long took = (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            for (long seen = Volatile.Read(ref _slowest); took > seen; seen = Volatile.Read(ref _slowest))
                Interlocked.CompareExchange(ref _slowest, took, seen);
        }
        connection?.Dispose();
    }
}
