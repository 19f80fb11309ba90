namespace NetGo.Tests;

public sealed class TraceTests
{
    [Fact]
    public async Task Try()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        await using var file = File.Create("/tmp/try.trace");
        await using var json = File.Create("/tmp/try.json");
        TraceSession session = Trace.Start(file, new TraceOptions { Scheduler = scheduler });
        TraceSession session2 = Trace.Start(json, new TraceOptions { Scheduler = scheduler, Format = TraceFormat.Perfetto });
        await TracedProgram.RunAsync(scheduler);
        await session.StopAsync();
        await session2.StopAsync();
        Assert.Equal((0, 0), (session.LostCount, session.Replay.Repairs));
    }
}
