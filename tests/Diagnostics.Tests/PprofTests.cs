using System.Net;
using System.Runtime.CompilerServices;
using NetGo.Http;
using NetGo.Http.Testing;

namespace NetGo.Diagnostics.Tests;

public sealed class PprofTests : IAsyncLifetime
{
    private static readonly string s_namespace = typeof(PprofTests).FullName!;

    private static volatile int[]? s_allocated;

    private readonly TestServer _server;
    private readonly HttpClient _client;

    public PprofTests()
    {
        var mux = new ServeMux();
        mux.HandleDebug(new DebugOptions { MaxDuration = TimeSpan.FromSeconds(40) });
        _server = TestServer.Start(mux);
        _client = _server.CreateClient();
    }

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task The_index_links_to_each_profile()
    {
        HttpResponseMessage answer = await _client.GetAsync("/debug/pprof/").Within();
        string html = await answer.Content.ReadAsStringAsync();
        Assert.Equal("text/html", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        foreach (string name in new[] { "allocs", "block", "cmdline", "goroutine", "heap", "mutex", "profile", "threadcreate" })
            Assert.Contains($"href=\"/debug/pprof/{name}", html);
    }

    [Theory]
    [InlineData("/debug/pprof/profile?seconds=x", 400)]
    [InlineData("/debug/pprof/profile?seconds=0", 400)]
    [InlineData("/debug/pprof/profile?seconds=41", 400)]
    [InlineData("/debug/pprof/profile?seconds=-1", 400)]
    [InlineData("/debug/pprof/profile?seconds=99999999999", 400)]
    [InlineData("/debug/pprof/goroutine?debug=3", 400)]
    [InlineData("/debug/pprof/nothing", 404)]
    [InlineData("/debug/", 404)]
    public async Task What_cannot_be_answered_is_said_in_plain_text(string path, int status)
    {
        HttpResponseMessage answer = await _client.GetAsync(path).Within();
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("text/plain", answer.Content.Headers.ContentType!.MediaType);
        Assert.NotEmpty(await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Others_are_kept_out_and_the_hook_decides_alone()
    {
        Assert.Equal(405, (int)(await _client.PostAsync("/debug/pprof/heap", null).Within()).StatusCode);
        using var foreign = new HttpRequestMessage(HttpMethod.Get, "/debug/pprof/cmdline");
        foreign.Headers.Host = "example.com";
        Assert.Equal(403, (int)(await _client.SendAsync(foreign).Within()).StatusCode);
        var mux = new ServeMux();
        mux.HandleDebug(new DebugOptions { Authorize = request => ValueTask.FromResult(request.HeaderOf("X-Key") == "k" && request.Path == "/debug/pprof/cmdline") });
        await using var server = TestServer.Start(mux);
        using HttpClient client = server.CreateClient();
        Assert.Equal(403, (int)(await client.GetAsync("/debug/pprof/cmdline").Within()).StatusCode);
        using var hooked = new HttpRequestMessage(HttpMethod.Get, "/debug/pprof/cmdline");
        hooked.Headers.Host = "example.com";
        hooked.Headers.Add("X-Key", "k");
        Assert.Equal(200, (int)(await client.SendAsync(hooked).Within()).StatusCode);
    }

    [Fact]
    public async Task Goroutines_come_for_the_tool_grouped_and_each()
    {
        Channel<int> never = Channel.Make<int>();
        for (int i = 0; i < 3; i++)
            Go.Spawn(() => WaitAsync(never));
        Bounded.Until(() => GoScheduler.Default.GoroutineStacks().Count(g => g.Frames.Any(f => f.Method == $"{s_namespace}.WaitAsync")) == 3, "three wait");
        ParsedProfile profile = ParsedProfile.FromGzip(await _client.GetStreamAsync("/debug/pprof/goroutine").Within());
        Assert.Equal(["goroutine/count"], profile.Types);
        Assert.Contains(profile.Samples, s => s.Values is [3] && s.Stack[0] == $"{s_namespace}.WaitAsync {Here("wait")}" && s.Stack[^1].StartsWith("NetGo.Go.Spawn PprofTests.cs:", StringComparison.Ordinal));
        string grouped = await _client.GetStringAsync("/debug/pprof/goroutine?debug=1").Within();
        Assert.StartsWith("goroutine profile: total ", grouped);
        Assert.Contains("3 @ state=channel receive\n#\t" + s_namespace + ".WaitAsync\t", grouped);
        string each = await _client.GetStringAsync("/debug/pprof/goroutine?debug=2").Within();
        Assert.Equal(3, each.Split($"[channel receive]:\n{s_namespace}.WaitAsync(...)\n\t").Length - 1);
        never.Close();
    }

    [Fact]
    public async Task A_hung_program_names_the_lines_to_look_at()
    {
        GoMutex a = new(), b = new();
        using var end = new ManualResetEventSlim();
        using var cancel = new CancellationTokenSource();
        var locked = new WaitGroup();
        locked.Add(2);
        Task deadlock = Task.WhenAll(Go.RunAsync(() => LockBothAsync(a, b, locked, cancel.Token)), Go.RunAsync(() => LockBothAsync(b, a, locked, cancel.Token)));
        Task blocked = Go.RunAsync(() => BlockAsync(end));
        Bounded.Until(() => GoScheduler.Default.Goroutines().Count(g => g.WaitReason == WaitReason.Mutex) == 2, "two wait for a mutex");
        Bounded.Until(() => GoScheduler.Default.Goroutines().Any(g => g.ThreadId != 0), "one blocks");
        string dump = await _client.GetStringAsync("/debug/pprof/goroutine?debug=2").Within();
        Assert.Equal(2, dump.Split($"[mutex]:\n{s_namespace}.LockBothAsync(...)\n\t").Length - 1);
        Assert.Equal(2, dump.Split($"{Here("deadlock")}\n").Length - 1);
        Assert.Contains($"System.Threading.Thread.Sleep(...)\n{s_namespace}.BlockAsync(...)\n\t", dump);
        Assert.Equal(1, dump.Split($"{s_namespace}.BlockAsync(...)").Length - 1);
        Assert.Contains($"{Here("blocks")}\n", dump);
        end.Set();
        cancel.Cancel();
        await blocked.Within();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => deadlock.Within());
    }

    [Fact]
    public async Task The_cpu_profile_shows_who_computes_and_only_one_is_taken_at_a_time()
    {
        using var stop = new CancellationTokenSource();
        Task computing = Task.Factory.StartNew(() => Compute(stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        HttpResponseMessage[] both = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => _client.GetAsync("/debug/pprof/profile?seconds=2"))).Within();
        stop.Cancel();
        Assert.Equal([200, 409], both.Select(answer => (int)answer.StatusCode).Order());
        ParsedProfile profile = ParsedProfile.FromGzip(await both.First(answer => answer.IsSuccessStatusCode).Content.ReadAsStreamAsync());
        Assert.Equal(["samples/count", "cpu/nanoseconds"], profile.Types);
        Assert.Contains(profile.Samples, s => s.Stack.Any(f => f.StartsWith($"{s_namespace}.Compute", StringComparison.Ordinal)) && s.Values[1] >= 1_000_000);
        await computing.Within();
    }

    [Fact]
    public async Task A_client_that_goes_away_leaves_the_way_free()
    {
        using (var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(300)))
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _client.GetAsync("/debug/pprof/profile?seconds=40", cancel.Token));
        Bounded.Until(() => _client.GetAsync("/debug/pprof/profile?seconds=1").Result.StatusCode == HttpStatusCode.OK, "another profile can be taken");
    }

    [Fact]
    public async Task The_heap_is_counted_by_type()
    {
        Marked[] kept = [.. Enumerable.Range(0, 1234).Select(_ => new Marked())];
        ParsedProfile profile = ParsedProfile.FromGzip(await _client.GetStreamAsync("/debug/pprof/heap").Within());
        Assert.Equal(["inuse_objects/count", "inuse_space/bytes"], profile.Types);
        (long[] values, _) = Assert.Single(profile.Samples, s => s.Stack[0].EndsWith("Marked", StringComparison.Ordinal));
        Assert.Equal([1234, 1234 * 24], values);
        GC.KeepAlive(kept);
    }

    [Fact]
    public async Task Allocations_come_with_type_and_place()
    {
        using var stop = new CancellationTokenSource();
        Task allocating = Task.Factory.StartNew(() => Allocate(stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        ParsedProfile profile = ParsedProfile.FromGzip(await _client.GetStreamAsync("/debug/pprof/allocs?seconds=1").Within());
        stop.Cancel();
        Assert.Equal(["alloc_objects/count", "alloc_space/bytes"], profile.Types);
        Assert.Contains(profile.Samples, s => s.Stack[0] == "new System.Int32[]" && s.Stack.Any(f => f.StartsWith($"{s_namespace}.Allocate", StringComparison.Ordinal)) && s.Values[1] > 100_000);
        await allocating.Within();
    }

    [Fact]
    public async Task Blocking_is_told_once_a_rate_is_set()
    {
        Assert.Contains("It is off", await _client.GetStringAsync("/debug/pprof/block?debug=1").Within());
        BlockProfile.SetRate(1);
        MutexProfile.SetFraction(1);
        try
        {
            var mutex = new GoMutex();
            await Go.RunAsync(() => HoldAsync(mutex, 2)).Within();
            ParsedProfile block = ParsedProfile.FromGzip(await _client.GetStreamAsync("/debug/pprof/block").Within());
            Assert.Equal(["contentions/count", "delay/nanoseconds"], block.Types);
            Assert.Contains(block.Samples, s => s.Stack[0] == $"{s_namespace}.LockOnceAsync {Here("lock")}" && s.Values[0] == 2 && s.Values[1] > 10_000_000);
            ParsedProfile unlock = ParsedProfile.FromGzip(await _client.GetStreamAsync("/debug/pprof/mutex").Within());
            Assert.Contains(unlock.Samples, s => s.Stack.Contains($"{s_namespace}.HoldAsync {Here("unlock")}"));
        }
        finally
        {
            BlockProfile.SetRate(0);
            MutexProfile.SetFraction(0);
        }
        Assert.Null(GoScheduler.Default.Observer);
    }

    [Fact]
    public async Task Threads_are_counted()
    {
        ParsedProfile profile = ParsedProfile.FromGzip(await _client.GetStreamAsync("/debug/pprof/threadcreate").Within());
        Assert.Equal(["threadcreate/count"], profile.Types);
        if (OperatingSystem.IsLinux())
            Assert.Contains(profile.Samples, s => s.Stack is ["netgo-m"] && s.Values[0] >= 1);
    }

    // ---- What is looked at ----

    private sealed class Marked
    {
        public long Value { get; init; }
    }

    private static async Task WaitAsync(Channel<int> never)
    {
        await never.ReceiveAsync(); // here: wait
    }

    private static async Task LockBothAsync(GoMutex first, GoMutex second, WaitGroup locked, CancellationToken cancellationToken)
    {
        await first.LockAsync(cancellationToken);
        locked.Done();
        await locked.WaitAsync(cancellationToken);
        await second.LockAsync(cancellationToken); // here: deadlock
    }

    private static async Task BlockAsync(ManualResetEventSlim end)
    {
        await Task.CompletedTask;
        while (!end.IsSet)
            Thread.Sleep(20); // here: blocks
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Compute(CancellationToken stop)
    {
        long sum = 0;
        while (!stop.IsCancellationRequested)
            sum += sum % 7 + 1;
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Allocate(CancellationToken stop)
    {
        int n = 0;
        for (; !stop.IsCancellationRequested; n++)
            s_allocated = new int[1_000];
        return n;
    }

    private static async Task HoldAsync(GoMutex mutex, int waiters)
    {
        await mutex.LockAsync();
        var group = new WaitGroup();
        for (int i = 0; i < waiters; i++)
            group.Go(() => LockOnceAsync(mutex));
        while (GoScheduler.Default.Goroutines().Count(static g => g.WaitReason == WaitReason.Mutex) < waiters)
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
        await Go.SleepAsync(TimeSpan.FromMilliseconds(50));
        mutex.Unlock(); // here: unlock
        await group.WaitAsync();
    }

    private static async Task LockOnceAsync(GoMutex mutex)
    {
        await mutex.LockAsync(); // here: lock
        mutex.Unlock();
    }

    private static string Here(string name, [CallerFilePath] string file = "")
    {
        string[] lines = File.ReadAllLines(file);
        return $"{Path.GetFileName(file)}:{Array.FindIndex(lines, l => l.EndsWith($"// here: {name}", StringComparison.Ordinal)) + 1}";
    }
}
