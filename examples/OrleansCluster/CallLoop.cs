using System.Collections.Concurrent;

namespace OrleansCluster;

/// <summary>Calls the grains again and again, each by a loop of its own, whatever becomes of the calls.</summary>
internal sealed class CallLoop : IAsyncDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource _stop = new();
    private readonly Place[] _last;
    private readonly Task _calling;
    private long _answered;

    public CallLoop(ClusterClient client, int grains)
    {
        _last = new Place[grains];
        _calling = Task.WhenAll(Enumerable.Range(0, grains).Select(key => CallAsync(client.Grain(key), key)));
    }

    public long Answered => Interlocked.Read(ref _answered);

    /// <summary>How many calls have failed, by the type of exception.</summary>
    public ConcurrentDictionary<string, int> Failures { get; } = new();

    /// <summary>Where the grains have answered from last.</summary>
    public Place[] Last()
    {
        lock (_last)
            return [.. _last];
    }

    private async Task CallAsync(IPlaceGrain grain, int key)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Place place = await grain.WhereAsync();
                lock (_last)
                    _last[key] = place;
                Interlocked.Increment(ref _answered);
            }
            catch (Exception e)
            {
                Failures.AddOrUpdate(e.GetType().Name, 1, static (_, count) => count + 1);
            }
            await Task.Delay(s_pause);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _stop.Cancel();
        await _calling;
        _stop.Dispose();
    }
}
