using System.Globalization;
using System.Runtime.CompilerServices;

namespace NetGo.Scheduler.Tests.Simulations;

// The explorations run small programs made from the seed, not only in an order made from the seed: so each seed is another
// program, and what is checked has to hold for all of them. Where it can be, it is a model: a plain sequential implementation
// that says of each operation, as it is called, how it shall end.
//
// A failure names its seed. To repeat it, run the same program with Simulation.Run and SimulationOptions.Seed. For a longer
// run than the usual, set the environment variable NETGO_SIMULATION_SEEDS to the number of seeds per program:
//
//   NETGO_SIMULATION_SEEDS=100000 dotnet test tests/Scheduler.Tests -c Release --filter Exploration

/// <summary>A test that runs one program with <see cref="Seeds.PerProgram"/> seeds, by <see cref="Exploration.Run"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ExplorationAttribute(
    [CallerFilePath] string? sourceFilePath = null, [CallerLineNumber] int sourceLineNumber = -1)
    : FactAttribute(sourceFilePath, sourceLineNumber);

internal static class Seeds
{
    /// <summary>What all explorations run together, at the least.</summary>
    public const int InTotal = 100_000;

    /// <summary>In how many seeds a mistake that was made on purpose has to be found.</summary>
    public const int ToFindAMistake = 3_000;

    public static int PerProgram { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("NETGO_SIMULATION_SEEDS"), CultureInfo.InvariantCulture, out int seeds) ? seeds : 6_000;
}

internal static class Exploration
{
    /// <summary>Runs a program with all its seeds.</summary>
    public static void Run(Func<Choices, Task> program)
    {
        int runs = 0;
        Simulation.Explore(Seeds.PerProgram, () =>
        {
            runs++;
            return program(new Choices(GoScheduler.NewSeed()));
        });
        Assert.Equal(Seeds.PerProgram, runs);
    }

    /// <summary>What has ended early has taken its timer with it.</summary>
    public static void NoTimersLeft() => Assert.Equal(0, GoScheduler.Current.TimersForThisThread().Count);

    /// <summary>A program with a mistake: some seed finds it, and repeats it.</summary>
    public static void Finds(Func<Choices, Task> wrong)
    {
        var failed = Assert.Throws<SimulationException>(() => Simulation.Explore(Seeds.ToFindAMistake, Body, null, "mistake", 1));
        var again = Assert.Throws<SimulationException>(() => Simulation.Run(Body, new SimulationOptions { Seed = failed.Seed }, "mistake", 1));
        Assert.Equal(failed.Message, again.Message);

        Task Body() => wrong(new Choices(GoScheduler.NewSeed()));
    }
}

public sealed class ExplorationTests
{
    [Fact]
    public void Together_they_are_enough_seeds()
    {
        int programs = typeof(ExplorationTests).Assembly.GetTypes()
            .SelectMany(static type => type.GetMethods())
            .Count(static method => method.IsDefined(typeof(ExplorationAttribute), false));
        if (Environment.GetEnvironmentVariable("NETGO_SIMULATION_SEEDS") is null)
            Assert.True(programs * Seeds.PerProgram >= Seeds.InTotal, $"{programs} programs with {Seeds.PerProgram} seeds each");
    }
}
