namespace SchedulerBench;

/// <summary>Values that go from goroutine to goroutine.</summary>
internal static class ChannelBenchmarks
{
    private const int Values = 500_000;
    private const int BufferedValues = 2_000_000;
    private const int RingSize = 1000;
    private const int RingRounds = 1000;

    public static Benchmark[] All { get; } =
    [
        new TimedBenchmark("pingpong_unbuffered", Values, PingPong),
        new TimedBenchmark("chan_buffered_128_1p1c", BufferedValues, Buffered),
        new TimedBenchmark("select_2", Values, SelectOfTwo),
        new TimedBenchmark("ring_1000g", RingSize * RingRounds, Ring),
    ];

    // Two channels, one for each direction; an operation is there and back.
    private static async Task PingPong()
    {
        Channel<int> there = Channel.Make<int>();
        Channel<int> back = Channel.Make<int>();
        Go.Spawn(async () =>
        {
            for (int i = 0; i < Values; i++)
                await back.SendAsync((await there.ReceiveAsync()).Value);
        });
        for (int i = 0; i < Values; i++)
        {
            await there.SendAsync(i);
            await back.ReceiveAsync();
        }
    }

    private static async Task Buffered()
    {
        Channel<int> channel = Channel.Make<int>(128);
        Go.Spawn(async () =>
        {
            for (int i = 0; i < BufferedValues; i++)
                await channel.SendAsync(i);
            channel.Close();
        });
        while ((await channel.ReceiveAsync()).Ok)
        {
        }
    }

    // One sends to two unbuffered channels in turn, the other selects over them; an operation is one value.
    private static async Task SelectOfTwo()
    {
        Channel<int> a = Channel.Make<int>();
        Channel<int> b = Channel.Make<int>();
        Go.Spawn(async () =>
        {
            for (int i = 0; i < Values; i += 2)
            {
                await a.SendAsync(i);
                await b.SendAsync(i);
            }
        });
        var select = new Select();
        select.Receive(a);
        select.Receive(b);
        for (int i = 0; i < Values; i++)
            await select.WaitAsync();
    }

    // A token goes around; an operation is one hop.
    private static async Task Ring()
    {
        Channel<int> first = Channel.Make<int>();
        Channel<int> last = first;
        for (int i = 0; i < RingSize; i++)
        {
            Channel<int> from = last;
            Channel<int> to = Channel.Make<int>();
            last = to;
            Go.Spawn(async () =>
            {
                for (int round = 0; round < RingRounds; round++)
                    await to.SendAsync((await from.ReceiveAsync()).Value + 1);
            });
        }
        for (int round = 0; round < RingRounds; round++)
        {
            await first.SendAsync(0);
            await last.ReceiveAsync();
        }
    }
}
