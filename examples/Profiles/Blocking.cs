namespace Profiles;

/// <summary>A goroutine that blocks its thread.</summary>
internal static class Blocking
{
    public static async Task Sleep()
    {
        await Task.CompletedTask;
        Thread.Sleep(Timeout.Infinite); // blocks
    }
}
