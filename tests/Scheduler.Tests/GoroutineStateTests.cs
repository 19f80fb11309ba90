namespace NetGo.Scheduler.Tests;

public sealed class GoroutineStateTests
{
    [Fact]
    public void The_table_allows_what_it_says_and_nothing_else()
    {
        (GoroutineStatus From, GoroutineStatus To)[] allowed =
        [
            (GoroutineStatus.Idle, GoroutineStatus.Runnable), (GoroutineStatus.Idle, GoroutineStatus.Running),
            (GoroutineStatus.Dead, GoroutineStatus.Runnable), (GoroutineStatus.Dead, GoroutineStatus.Running),
            (GoroutineStatus.Runnable, GoroutineStatus.Running),
            (GoroutineStatus.Running, GoroutineStatus.Waiting), (GoroutineStatus.Running, GoroutineStatus.Runnable),
            (GoroutineStatus.Running, GoroutineStatus.Dead), (GoroutineStatus.Running, GoroutineStatus.Syscall),
            (GoroutineStatus.Waiting, GoroutineStatus.Runnable), (GoroutineStatus.Waiting, GoroutineStatus.Dead),
            (GoroutineStatus.Syscall, GoroutineStatus.Running), (GoroutineStatus.Syscall, GoroutineStatus.Runnable),
            (GoroutineStatus.Syscall, GoroutineStatus.Waiting),
        ];
        foreach (GoroutineStatus from in Enum.GetValues<GoroutineStatus>())
        {
            foreach (GoroutineStatus to in Enum.GetValues<GoroutineStatus>())
                Assert.Equal(allowed.Contains((from, to)), GoroutineState.IsAllowed(from, to));
        }
    }

#if DEBUG
    [Fact]
    public void A_step_that_is_not_in_the_table_throws_in_Debug()
    {
        var state = new GoroutineState();
        Assert.Throws<InvalidOperationException>(() => state.Park(WaitReason.Sleep));
        state.Set(GoroutineStatus.Runnable);
        Assert.Throws<InvalidOperationException>(() => state.Set(GoroutineStatus.Runnable)); // made ready twice
        Assert.Throws<InvalidOperationException>(() => state.Set(GoroutineStatus.Dead));
        Assert.Equal(GoroutineStatus.Runnable, state.Status);
    }
#endif
}
