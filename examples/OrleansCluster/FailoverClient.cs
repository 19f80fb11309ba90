using System.Diagnostics;

namespace OrleansCluster;

/// <summary>Calls grains on both silos, kills silo B, and goes on calling. Each step throws when it is not as it should be.</summary>
internal sealed class FailoverClient(ClusterClient client, CancellationToken cancellationToken)
{
    private const int Grains = 40;
    private const int CallsBefore = 1000;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan s_pollInterval = TimeSpan.FromMilliseconds(20);

    /// <param name="ports">Of the cluster.</param>
    /// <param name="processOfB">What is to be killed.</param>
    public static async Task<int> RunAsync(ClusterPorts ports, int processOfB)
    {
        using var timeout = new CancellationTokenSource(s_limit);
        try
        {
            await using ClusterClient client = await ClusterClient.ConnectAsync(ports, timeout.Token);
            var failover = new FailoverClient(client, timeout.Token);
            Place[] places = await failover.BothSilosAnswerAsync();
            await failover.GrainsAskEachOtherAsync(places);
            await failover.ConnectionsAreNetGosAsync(places);
            await failover.CallsGoOnWithoutAsync(processOfB, places);
            await failover.EachGrainAnswersAsync();
            return 0;
        }
        catch (Exception e)
        {
            Console.WriteLine($"FAILED: {e}");
            return 1;
        }
    }

    private async Task<Place[]> BothSilosAnswerAsync()
    {
        Place[] places = await AllAsync(static grain => grain.WhereAsync());
        int onA = places.Count(static place => place.Silo == "A");
        Console.WriteLine($"{onA} grains have answered from silo A, {Grains - onA} from silo B");
        Check(onA is > 0 and < Grains, "All grains are on one silo.");
        return places;
    }

    // Grains of even keys ask those of odd ones: two that asked each other would wait for each other.
    private async Task GrainsAskEachOtherAsync(Place[] places)
    {
        int[] asking = [.. Enumerable.Range(0, Grains / 2).Select(static i => 2 * i)];
        Place[] asked = await Task.WhenAll(asking.Select(key => client.Grain(key).AskAsync(key + 1).AsTask())).WaitAsync(cancellationToken);
        int across = asking.Count(key => places[key].Silo != asked[key / 2].Silo);
        Console.WriteLine($"{asking.Length} grains have asked another one, {across} of them one on the other silo");
        Check(across > 0, "No call has gone from silo to silo.");
    }

    /// <summary>What one end has dialled the other has accepted, and in no process does anything else poll sockets.</summary>
    private async Task ConnectionsAreNetGosAsync(Place[] places)
    {
        while (true)
        {
            TransportReport a = await ReportOfAsync("A", places), b = await ReportOfAsync("B", places), own = client.Report;
            int accepted = a.Accepted + b.Accepted + own.Accepted, dialled = a.Dialled + b.Dialled + own.Dialled;
            if (accepted != dialled) // one is under way
            {
                await Task.Delay(s_pollInterval, cancellationToken);
                continue;
            }
            Console.WriteLine($"silo A: {a}\nsilo B: {b}\nclient: {own}");
            Check(own.Dialled >= 2, "The client is not connected to both silos.");
            Check(a.Dialled + b.Dialled > 0, "The silos are not connected.");
            Check(a.GoroutineRuns > 0 && b.GoroutineRuns > 0 && own.GoroutineRuns > 0, "A scheduler has run nothing.");
            Check(a.OtherPollers + b.OtherPollers + own.OtherPollers == 0, "Something goes by System.Net.Sockets.");
            return;
        }
    }

    private Task<TransportReport> ReportOfAsync(string silo, Place[] places) =>
        client.Grain(Array.FindIndex(places, place => place.Silo == silo)).ReportAsync().AsTask().WaitAsync(cancellationToken);

    private async Task CallsGoOnWithoutAsync(int processOfB, Place[] before)
    {
        await using var calls = new CallLoop(client, Grains);
        await UntilAsync(() => calls.Answered >= CallsBefore);
        Check(calls.Failures.IsEmpty, "Calls have failed while both silos were there.");
        long answered = calls.Answered;
        var watch = Stopwatch.StartNew();
        using (var b = Process.GetProcessById(processOfB))
            b.Kill(); // SIGKILL: it says goodbye to nobody
        Console.WriteLine($"silo B is killed, after {answered} calls");
        await UntilAsync(() => Array.TrueForAll(calls.Last(), static place => place.Silo == "A"));
        Console.WriteLine($"all {before.Count(static place => place.Silo == "B")} grains of silo B have answered from silo A within {watch.Elapsed.TotalSeconds:F1} s; "
            + $"{calls.Answered - answered} calls were answered meanwhile");
        Console.WriteLine(calls.Failures.IsEmpty ? "no call has failed" : "calls that have failed, and were repeated: "
            + string.Join(", ", calls.Failures.Select(static failure => $"{failure.Value} by {failure.Key}")));
    }

    private async Task EachGrainAnswersAsync()
    {
        Place[] places = await AllAsync(static grain => grain.WhereAsync());
        Check(Array.TrueForAll(places, static place => place.Silo == "A"), "A grain has answered from a silo that was killed.");
        Console.WriteLine($"{places.Length} grains have answered from silo A");
    }

    private Task<T[]> AllAsync<T>(Func<IPlaceGrain, ValueTask<T>> call) =>
        Task.WhenAll(Enumerable.Range(0, Grains).Select(key => call(client.Grain(key)).AsTask())).WaitAsync(cancellationToken);

    private async Task UntilAsync(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(s_pollInterval, cancellationToken);
    }

    private static void Check(bool condition, string otherwise)
    {
        if (!condition)
            throw new InvalidDataException(otherwise);
    }
}
