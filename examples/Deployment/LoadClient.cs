using System.Collections.Concurrent;
using System.Diagnostics;

namespace Deployment;

/// <summary>Asks a service without a pause, and counts what was not answered: half of its clients keep their connection, half make one for
/// each request. A kept one that the server closes while a request is on its way is no failure: HttpClient sends that request again, as
/// RFC 9110, section 9.2.2, allows. On a new connection there is no such excuse.</summary>
internal static class LoadClient
{
    private const int Clients = 8;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    public static async Task<int> RunAsync(Uri service, TimeSpan time, CancellationToken cancellationToken)
    {
        var processes = new ConcurrentDictionary<string, bool>();
        var failures = new ConcurrentQueue<string>();
        int answered = 0;
        long slowest = 0;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(time);
        using var client = new HttpClient { BaseAddress = service, Timeout = s_patience };
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(number => Task.Run(() => AskAsync(number % 2 == 0))));

        foreach (string failure in failures.Take(10))
            Console.WriteLine($"FAILED: {failure}");
        Console.WriteLine($"{answered} requests answered by {processes.Count} processes, {failures.Count} failed; the slowest took {slowest} ms");
        return failures.IsEmpty && answered > 0 ? 0 : 1;

        async Task AskAsync(bool keeps)
        {
            for (int i = 0; !end.IsCancellationRequested; i++)
            {
                string path = i % 4 == 0 ? "/sleep?ms=20" : "/process";
                long start = Stopwatch.GetTimestamp();
                try
                {
                    using var request = new HttpRequestMessage(HttpMethod.Get, path);
                    request.Headers.ConnectionClose = keeps ? null : true;
                    using HttpResponseMessage answer = await client.SendAsync(request);
                    string text = (await answer.Content.ReadAsStringAsync()).TrimEnd();
                    if (!answer.IsSuccessStatusCode)
                        throw new HttpRequestException($"{path}: {(int)answer.StatusCode} {text}");
                    Interlocked.Increment(ref answered);
                    if (path == "/process")
                        processes.TryAdd(text, true);
                }
                catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
                {
                    failures.Enqueue($"{(keeps ? "kept" : "new")} connection: {e.Message}{(e.InnerException is { } inner ? $" ({inner.Message})" : "")}");
                }
                long took = (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                for (long seen = Volatile.Read(ref slowest); took > seen; seen = Volatile.Read(ref slowest))
                    Interlocked.CompareExchange(ref slowest, took, seen);
            }
        }
    }
}
