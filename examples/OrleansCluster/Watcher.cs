namespace OrleansCluster;

/// <summary>Looks every second where the grains are.</summary>
internal static class Watcher
{
    private const int Grains = 40;

    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(1);

    public static async Task<int> RunAsync(ClusterPorts ports, CancellationToken cancellationToken)
    {
        try
        {
            await using ClusterClient client = await ClusterClient.ConnectAsync(ports, cancellationToken);
            while (true)
            {
                Console.WriteLine(await LookAsync(client, cancellationToken));
                await Task.Delay(s_period, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return 0;
        }
    }

    private static async Task<string> LookAsync(ClusterClient client, CancellationToken cancellationToken)
    {
        string[] places = await Task.WhenAll(Enumerable.Range(0, Grains).Select(async key =>
        {
            try
            {
                return "on " + (await client.Grain(key).WhereAsync().AsTask().WaitAsync(cancellationToken)).Silo;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                return $"not reached ({e.GetType().Name})";
            }
        }));
        return string.Join(", ", places.GroupBy(static place => place).OrderBy(static group => group.Key).Select(static group => $"{group.Count()} {group.Key}"));
    }
}
