namespace NetGo.Interleaving.Tests;

/// <summary>SpinMutex.cs: one at a time, and everybody in the end.</summary>
public sealed class SpinMutexInterleavings(ITestOutputHelper output)
{
    private sealed class Guarded
    {
        public SpinMutex Mutex;
        public int Count;
    }

    private static void ThreeEnterTwice(Run run)
    {
        Guarded guarded = run.Share(new Guarded());
        for (int i = 0; i < 3; i++)
        {
            run.Thread($"t{i}", () =>
            {
                for (int n = 0; n < 2; n++)
                {
                    guarded.Mutex.Enter();
                    int count = guarded.Count;
                    Run.Point();
                    guarded.Count = count + 1;
                    guarded.Mutex.Exit();
                }
            });
        }
        run.Finally(() => Assert.Equal(6, guarded.Count));
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(1, 1)]
    public void It_lets_in_one_at_a_time(int preemptions, int delayedStores) =>
        output.WriteLine($"{Explore.All(new Bounds { Preemptions = preemptions, DelayedStores = delayedStores }, ThreeEnterTwice)}");

    [Fact]
    public void A_swap_that_is_not_atomic_is_found() =>
        Assert.NotNull(Explore.FindFailure(new Bounds { Weakness = Weakness.CompareExchangeIsNotAtomic }, ThreeEnterTwice));
}
