using System.Diagnostics;
using SchedulerBench;

// SchedulerBench [--procs N] [--growth] [--policies] [--list] [name...]
//
// Prints `name value unit` lines. Without names it runs the operations that Go is compared in; --growth runs the same operations
// among ever more goroutines, --policies compares the policies, --list prints the names. Each benchmark runs in a process of its own, so that neither the
// garbage nor the profile that one leaves behind changes another. A timed one runs warm-up rounds first; its line is the
// median of the rounds after them. park_1M is measured in its first round: memory that was used before would not count.
// go/main.go is the same program in Go; compare.sh runs both.

int procs = Environment.ProcessorCount;
List<string> names = [];
bool list = false;
for (int i = 0; i < args.Length; i++)
{
    if (args[i] == "--growth")
        names.AddRange(GrowthBenchmark.All.Select(b => b.Name));
    else if (args[i] == "--policies")
        names.AddRange(PolicyBenchmark.All.Select(b => b.Name));
    else if (args[i] == "--list")
        list = true;
    else if (args[i] != "--procs")
        names.Add(args[i]);
    else if (++i == args.Length || !int.TryParse(args[i], out procs) || procs < 1)
        return Refuse("--procs needs a positive number.");
}

Benchmark[] operations = [.. SpawnBenchmarks.All, .. ChannelBenchmarks.All, .. YieldBenchmarks.All, .. TimerBenchmarks.All, .. MutexBenchmarks.All, ParkBenchmark.Instance];
Benchmark[] all = [.. operations, .. GrowthBenchmark.All, .. PolicyBenchmark.All];
if (list)
{
    foreach (Benchmark b in all)
        Console.WriteLine(b.Name);
    return 0;
}
if (names.Find(name => !Array.Exists(all, b => b.Name == name)) is { } unknown)
    return Refuse($"There is no benchmark {unknown}. There are: {string.Join(", ", all.Select(b => b.Name))}.");

if (names.Count == 1)
{
    using var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = procs });
    Benchmark chosen = Array.Find(all, b => b.Name == names[0])!;
    await scheduler.RunAsync(() => chosen.RunAsync()).ConfigureAwait(false);
    return 0;
}

foreach (string name in names.Count == 0 ? operations.Select(b => b.Name) : names)
{
    using Process child = Process.Start(Environment.ProcessPath!, ["--procs", $"{procs}", name]);
    await child.WaitForExitAsync().ConfigureAwait(false);
    if (child.ExitCode != 0)
        return child.ExitCode;
}
return 0;

static int Refuse(string message)
{
    Console.Error.WriteLine(message);
    return 2;
}
