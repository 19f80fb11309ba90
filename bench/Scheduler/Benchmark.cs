using System.Globalization;

namespace SchedulerBench;

/// <summary>Something that is measured by name, and prints its lines when run as a goroutine.</summary>
internal abstract class Benchmark(string name)
{
    public string Name { get; } = name;

    public abstract Task RunAsync();

    protected static void Print(string name, double value, string unit) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value:0.0} {unit}"));
}
