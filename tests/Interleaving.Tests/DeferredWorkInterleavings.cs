namespace NetGo.Interleaving.Tests;

/// <summary>DeferredWork.cs: what its owner pushes is done once, by the owner or by whoever has taken it.</summary>
public sealed class DeferredWorkInterleavings(ITestOutputHelper output)
{
    private sealed class Shared
    {
        public DeferredWork List;
        public bool OwnerHasEnded;
    }

    private sealed class Item : IDeferredWork
    {
        public IDeferredWork? NextDeferred { get; set; }

        public int IsListed;
        public int Pushed;
        public int Done;

        // As a connection does: from here on it may be pushed again.
        public void RunDeferred()
        {
            Volatile.Write(ref IsListed, 0);
            Interlocked.Increment(ref Done);
        }
    }

    private static void TheOwnerAndAnotherRunWhatIsPushed(Run run)
    {
        Shared shared = run.Share(new Shared());
        Item[] items = [run.Share(new Item()), run.Share(new Item())];
        run.Thread("owner", () =>
        {
            for (int i = 0; i < 4; i++)
            {
                Item item = items[i % 2];
                if (Volatile.Read(ref item.IsListed) == 0)
                {
                    Volatile.Write(ref item.IsListed, 1);
                    item.Pushed++;
                    shared.List.Push(item);
                }
                if (i == 2)
                    shared.List.Run();
            }
            shared.OwnerHasEnded = true;
        });
        run.Thread("sysmon", () =>
        {
            for (int i = 0; i < 2; i++)
            {
                if (!shared.List.IsEmpty)
                    shared.List.Run();
            }
        });
        run.Finally(() =>
        {
            Assert.True(shared.OwnerHasEnded);
            shared.List.Run();
            Assert.True(shared.List.IsEmpty);
            foreach (Item item in items)
                Assert.Equal(item.Pushed, item.Done);
        });
    }

    [Theory]
    [InlineData(3, 0)]
    [InlineData(2, 1)]
    public void Each_is_done_once(int preemptions, int delayedStores) =>
        output.WriteLine($"{Explore.All(new Bounds { Preemptions = preemptions, DelayedStores = delayedStores }, TheOwnerAndAnotherRunWhatIsPushed)}");

    [Fact]
    public void A_swap_that_is_not_atomic_is_found() =>
        Assert.NotNull(Explore.FindFailure(new Bounds { Weakness = Weakness.CompareExchangeIsNotAtomic }, TheOwnerAndAnotherRunWhatIsPushed));
}
