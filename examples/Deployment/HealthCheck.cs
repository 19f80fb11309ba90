namespace Deployment;

/// <summary>Asks a running service how it is, for images in which there is no curl.</summary>
internal static class HealthCheck
{
    public static async Task<int> RunAsync(string url)
    {
        try
        {
            using var handler = new SocketsHttpHandler { UseProxy = false }; // it is here, whatever http_proxy says
            using var client = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(2) };
            using HttpResponseMessage answer = await client.GetAsync(new Uri(url));
            if (answer.IsSuccessStatusCode)
                return 0;
            Console.Error.WriteLine($"{url} answers {(int)answer.StatusCode}");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or UriFormatException)
        {
            Console.Error.WriteLine($"{url}: {e.Message}");
        }
        return 1;
    }
}
