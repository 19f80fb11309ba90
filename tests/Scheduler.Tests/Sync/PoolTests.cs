namespace NetGo.Scheduler.Tests.Sync;

public class PoolTests
{
    public static TheoryData<int> ProcessorCounts => On.ProcessorCounts;

    private sealed class Item
    {
        public int Users;
    }

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task What_was_put_is_got_again(int processors) => On.Processors(processors, () =>
    {
        int made = 0;
        var pool = new Pool<Item>(() =>
        {
            made++;
            return new Item();
        });
        Item[] first = [.. Enumerable.Range(0, 10).Select(_ => pool.Get())];
        Assert.Equal(10, made);
        Assert.Equal(10, first.Distinct().Count());
        foreach (Item item in first)
            pool.Put(item);
        Item[] second = [.. Enumerable.Range(0, 10).Select(_ => pool.Get())];
        Assert.Equal(10, made);
        Assert.Equal(first.ToHashSet(), second.ToHashSet());
        return Task.CompletedTask;
    });

    [Fact]
    public async Task What_a_thread_put_that_runs_no_goroutine_can_be_got_by_one_that_does()
    {
        int made = 0;
        var pool = new Pool<Item>(() =>
        {
            made++;
            return new Item();
        });
        Item[] items = [pool.Get(), pool.Get(), pool.Get()];
        foreach (Item item in items)
            pool.Put(item);
        await On.Processors(1, () =>
        {
            Item a = pool.Get();
            Item b = pool.Get();
            Assert.Equal(3, made);
            pool.Put(a);
            pool.Put(b);
            return Task.CompletedTask;
        });
        pool.Get();
        pool.Get();
        Assert.Equal(3, made);
    }

    [Fact]
    public void It_keeps_a_bounded_number()
    {
        int made = 0;
        var pool = new Pool<Item>(() =>
        {
            made++;
            return new Item();
        });
        for (int i = 0; i < 10_000; i++)
            pool.Put(new Item());
        for (int i = 0; i < 10_000; i++)
            pool.Get();
        Assert.InRange(made, 9_900, 9_999);
    }

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Nothing_is_handed_to_two_under_stress(int processors) => On.Processors(processors, async () =>
    {
        var pool = new Pool<Item>(() => new Item());
        int shared = 0;
        async Task Use()
        {
            var random = new Random(processors);
            var mine = new Stack<Item>();
            for (int i = 0; i < 5000; i++)
            {
                if (mine.Count == 0 || random.Next(2) == 0)
                {
                    Item item = pool.Get();
                    if (Interlocked.Increment(ref item.Users) != 1)
                        Interlocked.Increment(ref shared);
                    mine.Push(item);
                }
                else
                {
                    Item item = mine.Pop();
                    Interlocked.Decrement(ref item.Users);
                    pool.Put(item);
                }
                if (random.Next(16) == 0)
                    await Go.YieldAsync();
            }
        }

        var group = new WaitGroup();
        for (int g = 0; g < 16; g++)
            group.Go(Use);
        await Task.WhenAll(Task.Run(Use), Task.Run(Use));
        await group.WaitAsync();
        Assert.Equal(0, shared);
    });

    [Fact]
    public void Nothing_cannot_be_put() =>
        Assert.Throws<ArgumentNullException>(() => new Pool<Item>(() => new Item()).Put(null!));
}
