using System.Runtime.CompilerServices;

namespace NetGo.Scheduler.Tests;

public sealed class AsyncStackTests
{
    private static readonly string s_namespace = typeof(AsyncStackTests).FullName!;

    private readonly TaskCompletionSource _never = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<int> _channel = Channel.Make<int>();

    [Theory]
    [InlineData(nameof(OfTasks))]
    [InlineData(nameof(OfValueTasks))]
    [InlineData(nameof(OfPooledValueTasks))]
    [InlineData(nameof(WithoutContext))]
    public void Each_method_is_named_with_the_line_of_its_await(string name)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        Func<Task> body = name switch
        {
            nameof(OfTasks) => OfTasks,
            nameof(OfValueTasks) => async () => await OfValueTasks(),
            nameof(OfPooledValueTasks) => async () => await OfPooledValueTasks(),
            _ => WithoutContext,
        };
        scheduler.Spawn(body);
        GoroutineInfo g = Waiting(scheduler, WaitReason.ChannelReceive, frames: body.Method.Name == name ? 2 : 3);
        Assert.Equal([$"{s_namespace}.ReceiveAsync(...) {Here(nameof(ReceiveAsync))}", $"{s_namespace}.{name}(...) {Here(name)}"], g.Frames.Take(2).Select(f => f.ToString()));
        Assert.True((body.Method.Name == name ? 2 : 3) == g.Frames.Count, string.Join("\n", g.Frames));
        _channel.Close();
        Bounded.NoneLeft(scheduler);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_awaits_something_foreign_says_where_and_what(bool delay)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        using var stop = new CancellationTokenSource();
        scheduler.Spawn(() => Outer(delay ? Task.Delay(Timeout.Infinite, stop.Token) : _never.Task));
        GoroutineInfo g = Waiting(scheduler, WaitReason.Task, frames: 2);
        Assert.Equal(
            [delay ? "System.Threading.Tasks.Task.Delay(...)" : "System.Threading.Tasks.TaskCompletionSource.Task(...)", $"{s_namespace}.Inner(...) {Here(nameof(Inner))}", $"{s_namespace}.Outer(...) {Here(nameof(Outer))}"],
            g.Frames.Select(f => f.ToString()));
        stop.Cancel();
        _never.TrySetResult();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public void Each_await_of_a_method_has_its_line()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        List<int> expected = [];
        scheduler.Spawn(() => ManyAwaits(expected));
        for (int i = 0; i < 6; i++)
        {
            GoroutineInfo g = Waiting(scheduler, WaitReason.ChannelReceive, () => expected.Count == i + 1);
            Assert.Equal(expected[i], Assert.Single(g.Frames).Line);
            Assert.True(_channel.TrySend(i));
        }
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public void A_waiter_for_a_mutex_is_found_behind_the_mutex()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        var mutex = new GoMutex();
        Assert.True(mutex.TryLock());
        scheduler.Spawn(() => LockAsync(mutex));
        Assert.Equal($"{s_namespace}.LockAsync(...) {Here(nameof(LockAsync))}", Waiting(scheduler, WaitReason.Mutex).Frames[0].ToString());
        mutex.Unlock();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public void Code_that_is_not_awaited_and_iterators_have_stacks_as_well()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        scheduler.Spawn(BothAsync);
        Bounded.Until(() => scheduler.GoroutineStacks().Count(g => g.Status == GoroutineStatus.Waiting && g.Frames.Count >= 3) == 2, "two wait");
        foreach (GoroutineInfo g in scheduler.GoroutineStacks())
        {
            Assert.Equal($"{s_namespace}.Numbers(...) {Here(nameof(Numbers))}", g.Frames[0].ToString());
            Assert.Equal($"{s_namespace}.Sum(...) {Here(nameof(Sum))}", g.Frames[1].ToString());
            Assert.Equal($"{s_namespace}.BothAsync(...) {Here(nameof(BothAsync))}", g.Frames[^1].ToString());
        }
        _channel.Close();
        Bounded.NoneLeft(scheduler);
    }

    [Fact]
    public void The_dump_is_as_Go_prints_it()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(1);
        scheduler.Spawn(OfTasks);
        Waiting(scheduler, WaitReason.ChannelReceive, frames: 2);
        string[] lines = GoroutineDump.Take(scheduler).Split('\n');
        Assert.Equal("goroutine 1 [channel receive]:", lines[0]);
        Assert.Equal($"{s_namespace}.ReceiveAsync(...)", lines[1]);
        Assert.Matches(@"^\t.*AsyncStackTests\.cs:\d+$", lines[2]);
        Assert.Equal("created by NetGo.Go.Spawn", lines[5]);
        Assert.Matches(@"^\t.*AsyncStackTests\.cs:\d+$", lines[6]);
        var text = new StringWriter();
        GoroutineDump.Write(text, [new GoroutineInfo(3, "A.cs:1", GoroutineStatus.Waiting, WaitReason.IOWait, true) { WaitTime = TimeSpan.FromSeconds(150) }]);
        Assert.Equal("goroutine 3 [IO wait, 2 minutes, not awaited]:\n", text.ToString());
        _channel.Close();
        Bounded.NoneLeft(scheduler);
    }

    [Theory]
    [InlineData("<RunAsync>d__3", "RunAsync")]
    [InlineData("<<Main>b__0_1>d", "Main.func2")]
    [InlineData("<<Main>$>d__0", "Main")]
    [InlineData("<<Main>g__Local|0_1>d", "Main.Local")]
    [InlineData("<Get>d__3`1", "Get")]
    [InlineData("Plain", "Plain")]
    [InlineData("<", "<")]
    public void Names_of_the_compiler_are_read(string name, string expected) => Assert.Equal(expected, MethodNames.Demangle(name));

    [Fact]
    public void Names_from_traces_are_read()
    {
        Assert.Equal("A.B.C.M", MethodNames.Of("A.B+C`1[System.__Canon]", "M"));
        Assert.Equal("A.B.M", MethodNames.Of("A.B+<M>d__1", "MoveNext"));
        Assert.Equal("A.B.M.func1", MethodNames.Of("A.B+<>c", "<M>b__1_0"));
    }

    // ---- What runs. A comment "await: NAME" marks the line that NAME waits in. ----

    private async Task<int> ReceiveAsync() => (await _channel.ReceiveAsync()).Value; // await: ReceiveAsync

    private async Task OfTasks()
    {
        await ReceiveAsync(); // await: OfTasks
        await Task.Yield();
    }

    private async ValueTask OfValueTasks()
    {
        await ReceiveAsync(); // await: OfValueTasks
        await Task.Yield();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask OfPooledValueTasks()
    {
        await ReceiveAsync(); // await: OfPooledValueTasks
    }

    private async Task WithoutContext()
    {
        await ReceiveAsync().ConfigureAwait(false); // await: WithoutContext
    }

    private static async Task Outer(Task task)
    {
        await Inner(task).ConfigureAwait(false); // await: Outer
    }

    private static async ValueTask Inner(Task task)
    {
        try
        {
            await task; // await: Inner
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task ManyAwaits(List<int> lines)
    {
        lines.Add(Line() + 1);
        await _channel.ReceiveAsync();
        try
        {
            lines.Add(Line() + 1);
            await _channel.ReceiveAsync();
            throw new InvalidOperationException();
        }
        catch (InvalidOperationException)
        {
            lines.Add(Line() + 1);
            await _channel.ReceiveAsync();
        }
        finally
        {
            lines.Add(Line() + 1);
            await _channel.ReceiveAsync();
        }
        for (int i = 0; i < 2; i++)
        {
            lines.Add(Line() + (i == 0 ? 2 : 4));
            if (i == 0)
                await _channel.ReceiveAsync();
            else
                await _channel.ReceiveAsync();
        }
    }

    private static async Task LockAsync(GoMutex mutex)
    {
        await mutex.LockAsync(); // await: LockAsync
        mutex.Unlock();
    }

    private async Task BothAsync()
    {
        Task<int> a = Sum();
        Task<int> b = Sum();
        await Task.WhenAll(a, b); // await: BothAsync
    }

    private async Task<int> Sum()
    {
        int sum = 0;
        await foreach (int n in Numbers()) // await: Sum
            sum += n;
        return sum;
    }

    private async IAsyncEnumerable<int> Numbers()
    {
        while (await _channel.ReceiveAsync() is (var n, true)) // await: Numbers
            yield return n;
    }

    private static int Line([CallerLineNumber] int line = 0) => line;

    private static string Here(string name, [CallerFilePath] string file = "")
    {
        string[] lines = File.ReadAllLines(file);
        return $"{Path.GetFileName(file)}:{Array.FindIndex(lines, l => l.EndsWith($"// await: {name}", StringComparison.Ordinal)) + 1}";
    }

    // The frames above one that parks return after it has: until then nobody can know them.
    private static GoroutineInfo Waiting(GoScheduler scheduler, WaitReason reason, Func<bool>? also = null, int frames = 1)
    {
        GoroutineInfo? found = null;
        Bounded.Until(() => (also?.Invoke() ?? true) && (found = scheduler.GoroutineStacks().FirstOrDefault(g => g.WaitReason == reason && g.Frames.Count >= frames)) is not null, $"{reason}");
        return found!;
    }
}
