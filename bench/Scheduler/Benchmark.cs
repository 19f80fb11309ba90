using System.Globalization;

namespace SchedulerBench;

/// <summary>Something that is measured by name, and prints its lines when run as a goroutine.</summary>
internal abstract class Benchmark(string name)
{
    public string Name { get; } = name;

    public abstract Task RunAsync();

    /// <summary>Waits until the JIT has compiled what was hot: it begins 100 ms after the last new method. (On one core it begins after a
    /// second, and these benchmarks would be over before it is done; compare.sh changes that.)</summary>
    protected static ValueTask LetTheJitCatchUpAsync() => Go.SleepAsync(TimeSpan.FromMilliseconds(200));

    protected static void Print(string name, double value, string unit) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value:0.0} {unit}"));
}
