using NetGo;

namespace Concurrency;

internal static class Channels
{
    public static async Task RangeAsync()
    {
        // snippet: channels
        Channel<int> numbers = Channel.Make<int>(2);          // make(chan int, 2)
        Go.Spawn(async () =>
        {
            for (int i = 1; i <= 3; i++)
                await numbers.SendAsync(i);                   // numbers <- i
            numbers.Close();                                  // close(numbers)
        });
        await foreach (int number in numbers)                 // for number := range numbers
            Console.WriteLine(number);                        // 1, 2, 3
        (int value, bool ok) = await numbers.ReceiveAsync();  // value, ok := <-numbers
        Console.WriteLine($"{value} {ok}");                   // 0 False
        // end
    }

    public static async Task DirectionsAsync()
    {
        // snippet: directions
        static async Task SquareAsync(ReceiveChannel<int> from, SendChannel<int> to)  // <-chan int, chan<- int
        {
            await foreach (int n in from)
                await to.SendAsync(n * n);
            to.Close();
        }

        Channel<int> numbers = Channel.Make<int>(1), squares = Channel.Make<int>();
        Go.Spawn(() => SquareAsync(numbers, squares));
        await numbers.SendAsync(7);
        Console.WriteLine(await squares.ReceiveAsync());                              // (49, True)
        numbers.Close();
        // end
    }

    public static async Task AdaptersAsync()
    {
        // snippet: adapters
        Channel<int> numbers = Channel.Make<int>(1);
        numbers.AsWriter().TryWrite(7);                            // a ChannelWriter<int> on the same channel
        Console.WriteLine(await numbers.ReceiveAsync());           // (7, True)

        var words = System.Threading.Channels.Channel.CreateUnbounded<string>();
        words.Writer.TryWrite("from .NET");
        words.Writer.Complete();
        await foreach (string word in words.Reader.ToGoChannel())  // a goroutine moves the values
            Console.WriteLine(word);
        // end
    }
}
