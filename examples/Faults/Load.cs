namespace Faults;

/// <summary>Customers, on the thread pool: they are not in the trace.</summary>
internal static class Load
{
    private const int Customers = 8;

    public static async Task<int> RunAsync(string address, TimeSpan duration)
    {
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        using var end = new CancellationTokenSource(duration);
        int[] requests = await Task.WhenAll(Enumerable.Range(0, Customers).Select(_ => Task.Run(() => BuyAsync(client, end.Token))));
        return requests.Sum();
    }

    private static async Task<int> BuyAsync(HttpClient client, CancellationToken end)
    {
        int requests = 0;
        for (; !end.IsCancellationRequested; requests++)
        {
            using HttpResponseMessage response = (requests % 10) switch
            {
                9 => await client.GetAsync(new Uri("/report", UriKind.Relative), CancellationToken.None),
                4 => await client.PostAsync(new Uri("/order/hat", UriKind.Relative), null, CancellationToken.None),
                _ => await client.GetAsync(new Uri("/price/hat", UriKind.Relative), CancellationToken.None),
            };
            response.EnsureSuccessStatusCode();
            await Task.Delay(2, CancellationToken.None);
        }
        return requests;
    }
}
