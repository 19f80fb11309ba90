using NetGo.Tests;

namespace NetGo.Diagnostics.Tests;

public sealed class GoroutineCensusTests
{
    [Fact]
    public async Task It_counts_by_state_by_reason_and_by_place()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        var sites = new SpawnSites();
        var census = new GoroutineCensus(scheduler, sites);
        var end = Channel.Make<int>(0);
        for (int i = 0; i < 300; i++)
            scheduler.Spawn(async () => await end.ReceiveAsync(), "/src/Receiver.cs", 10);
        for (int i = 0; i < 20; i++)
            scheduler.Spawn(async () => await Go.SleepAsync(TimeSpan.FromMinutes(1)), "/src/Sleeper.cs", 20);
        Bounded.Until(() => scheduler.Goroutines().Count(static g => g.Status == GoroutineStatus.Waiting) == 320, "all wait");

        Assert.True(census.Advance(TimeSpan.FromMinutes(1)));
        PopulationSample population = census.Describe(0);
        Assert.Equal(320, population.Total);
        Assert.Equal(320, population.States.Single(static s => s.Name == "waiting").Count);
        Assert.Equal([new NamedCount("channel receive", 300), new NamedCount("sleep", 20)], population.Waits);
        Assert.Equal([new SiteSample("Receiver.cs:10", 300, 300, null, null), new SiteSample("Sleeper.cs:20", 20, 20, null, null)], population.Sites);

        end.Close();
        Bounded.Until(() => scheduler.GoroutineCount == 20, "the receivers have ended");
        Assert.True(census.Advance(TimeSpan.FromMinutes(1)));
        Assert.Equal("Sleeper.cs:20", Assert.Single(census.Describe(0).Sites).Site);
        await Task.CompletedTask;
    }

    [Fact]
    public void With_many_it_goes_on_where_it_stopped()
    {
        using GoScheduler scheduler = Bounded.NewScheduler(2);
        var census = new GoroutineCensus(scheduler, new SpawnSites());
        var end = Channel.Make<int>(0);
        for (int i = 0; i < 2000; i++)
            scheduler.Spawn(async () => await end.ReceiveAsync());
        Bounded.Until(() => scheduler.Goroutines().All(static g => g.Status == GoroutineStatus.Waiting), "all wait");
        int pieces = 1;
        while (!census.Advance(TimeSpan.Zero))
            pieces++;
        Assert.InRange(pieces, 2000 / 256, (2000 / 256) + 1);
        Assert.Equal(2000, census.Describe(0).Total);
        end.Close();
    }

    [Fact]
    public void There_are_only_so_many_places_and_the_rest_is_one()
    {
        var sites = new SpawnSites();
        for (int line = 1; line <= 10_000; line++)
            sites.NumberOf("/src/Generated.cs", line);
        Assert.Equal(4096, sites.Count);
        Assert.Equal(SpawnSites.Other, sites.NumberOf("/src/Generated.cs", 10_000));
        Assert.Equal("Generated.cs:1", sites.NameOf(sites.NumberOf("/src/Generated.cs", 1)));
    }
}
