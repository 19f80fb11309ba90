namespace NetGo.LoadTests.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void Nothing_is_every_scenario_against_all_targets_that_need_no_package()
    {
        Options options = Options.Parse([]);
        Assert.Equal(Scenario.All, options.Scenarios);
        Assert.All((string[])["floor", "netgo", "aspnet", "aspnet-netpoll", "go"], t => Assert.Contains(t, options.Targets));
        Assert.False(options.Soaks);
    }

    [Fact]
    public void Values_are_what_they_are_set_to()
    {
        Options options = Options.Parse(["soak", "--minutes", "1.5", "--targets", "netgo,go", "--server-cores", "0-2,5", "--no-build", "--rate", "5000"]);
        Assert.True(options.Soaks);
        Assert.Equal(1.5, options.Minutes);
        Assert.Equal(["netgo", "go"], options.Targets);
        Assert.Equal([0, 1, 2, 5], Options.CoresOf(options.ServerCores));
        Assert.False(options.Builds);
        Assert.Equal(5000, options.Rate);
    }

    [Theory]
    [InlineData("'--nothing' is not understood", "--nothing")]
    [InlineData("--rounds needs a value", "--rounds")]
    [InlineData("--rounds must be 1 to 1000, not '0'", "--rounds", "0")]
    [InlineData("--seconds must be 0.1 to 3600, not 'two'", "--seconds", "two")]
    [InlineData("there is no scenario 'plain' (plaintext, ", "--scenarios", "plain")]
    [InlineData("'2-1' is not a list of cores", "--server-cores", "2-1")]
    [InlineData("'a' is not a list of cores", "--client-cores", "a")]
    [InlineData("report needs the results.json of a run", "report")]
    [InlineData("a report of several runs needs --output at its end", "report", "a.json", "b.json")]
    [InlineData("'--rounds' is not understood", "report", "--rounds", "1")]
    public void What_is_not_understood_is_named(string message, params string[] args) =>
        Assert.StartsWith(message, Assert.Throws<FormatException>(() => Options.Parse(args)).Message, StringComparison.Ordinal);

    [Fact]
    public void Every_scenario_has_a_name_of_its_own_and_targets()
    {
        Assert.Distinct(Scenario.All.Select(static s => s.Name));
        Assert.All(Scenario.All, static s => Assert.NotEmpty(s.Targets));
        Assert.All(Scenario.All, static s => Assert.True(s.Suits("netgo")));
    }
}
