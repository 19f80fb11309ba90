using NetGo;

namespace Concurrency;

internal static class Spawning
{
    public static async Task ReadmeAsync()
    {
        // snippet: readme
        await Go.RunAsync(async () =>
        {
            Channel<int> squares = Channel.Make<int>(8);
            var group = new WaitGroup();
            for (int i = 0; i < 10; i++)
            {
                int n = i;
                group.Go(async () =>
                {
                    await Go.SleepAsync(TimeSpan.FromMilliseconds(10));   // parks; holds no thread
                    Thread.Sleep(10);                                     // blocks; costs this goroutine only
                    await squares.SendAsync(n * n);
                });
            }
            Go.Spawn(async () =>
            {
                await group.WaitAsync();
                squares.Close();
            });
            while (await squares.ReceiveAsync() is (var square, true))
                Console.WriteLine(square);
        });
        // end
    }

    public static async Task SpawnAsync()
    {
        // snippet: spawn
        Channel<string> names = Channel.Make<string>();
        Go.Spawn(async () => await names.SendAsync("gopher"));  // go func() { names <- "gopher" }()

        int length = await Go.RunAsync(async () =>
        {
            (string name, _) = await names.ReceiveAsync();      // name := <-names
            return name.Length;
        });
        Console.WriteLine(length);                              // 6
        // end
    }
}
