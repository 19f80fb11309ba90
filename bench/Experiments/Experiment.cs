namespace Experiments;

/// <summary>Something promised, tried.</summary>
/// <param name="name">Its name on the command line.</param>
/// <param name="rounds">How often each variant is measured unless told.</param>
/// <param name="seconds">How long each time.</param>
internal abstract class Experiment(string name, int rounds, double seconds)
{
    public string Name { get; } = name;

    public int Rounds { get; } = rounds;

    public double Seconds { get; } = seconds;

    public abstract Task RunAsync(CommandLine options);

    /// <summary>Measures all variants in turn, again and again, beginning with another one in each round: what else the machine does weighs on all
    /// of them. A round before the first is thrown away, for the JIT; a short run does without.</summary>
    protected static async Task InTurnAsync(CommandLine options, int variants, Func<int, bool, Task> measure)
    {
        for (int round = options.IsShort ? 0 : -1; round < options.Rounds; round++)
        {
            for (int i = 0; i < variants; i++)
                await measure((Math.Max(round, 0) + i) % variants, round >= 0);
            if (round >= 0)
                await Console.Error.WriteLineAsync($"round {round + 1} of {options.Rounds}");
        }
    }
}
