using System.Buffers;
using System.Globalization;
using BuffersBench;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

// BuffersBench [--rounds N]
//
// What it takes to rent and return a buffer, in ns for both: NetGo's own way, its MemoryPool, ArrayPool<byte>.Shared,
// MemoryPool<byte>.Shared, Kestrel's memory pool (4 KiB only) and malloc. All run in goroutines, in turn in each round; the figure is the median
// of the rounds. "nothing" is what the measuring itself takes.
//
//   alone      one goroutine, one buffer at a time
//   several    one goroutine, 16 at a time
//   two        two goroutines on two cores, each as in several
//   hand over  one rents, another, on the other core, returns
//
// NetGo's must take at most half of the least of the others'.

int rounds = 15;
if (args.Length > 0 && (args is not ["--rounds", _] || !int.TryParse(args[1], out rounds) || rounds < 1))
{
    await Console.Error.WriteLineAsync("usage: BuffersBench [--rounds N]").ConfigureAwait(false);
    return 2;
}

const int Pairs = 100_000;
string[] cases = ["alone", "several", "two", "hand over"];
await using WebApplication application = WebApplication.CreateSlimBuilder().Build();
using MemoryPool<byte> kestrel = application.Services.GetRequiredService<IMemoryPoolFactory<byte>>().Create();
BufferPool pool = BufferPool.Shared;
foreach (int size in new[] { 4096, 16384, 65536 })
{
    Table table = new(size, cases);
    for (int round = -3; round < rounds; round++) // three to warm up
    {
        await MeasureAsync<Nothing, object?>("nothing", new Nothing()).ConfigureAwait(false);
        await MeasureAsync<NetGoBuffers, NetBuffer>("netgo", new NetGoBuffers(pool, size)).ConfigureAwait(false);
        await MeasureAsync<Memories, IMemoryOwner<byte>>("netgo MemoryPool", new Memories(pool.MemoryPool, size)).ConfigureAwait(false);
        await MeasureAsync<Arrays, byte[]>("ArrayPool", new Arrays(size)).ConfigureAwait(false);
        await MeasureAsync<Memories, IMemoryOwner<byte>>("MemoryPool", new Memories(MemoryPool<byte>.Shared, size)).ConfigureAwait(false);
        if (size == 4096)
            await MeasureAsync<Memories, IMemoryOwner<byte>>("Kestrel", new Memories(kestrel, size)).ConfigureAwait(false);
        await MeasureAsync<Malloc, nint>("malloc", new Malloc(size)).ConfigureAwait(false);

        async Task MeasureAsync<TSubject, T>(string name, TSubject subject)
            where TSubject : struct, ISubject<T>
        {
            double[] ns =
            [
                await Go.RunAsync(() => Task.FromResult(Pairing.Alone<TSubject, T>(subject, Pairs))).ConfigureAwait(false),
                await Go.RunAsync(() => Task.FromResult(Pairing.Several<TSubject, T>(subject, Pairs))).ConfigureAwait(false),
                await Pairing.TwoAsync<TSubject, T>(subject, Pairs).ConfigureAwait(false),
                await Pairing.HandOverAsync<TSubject, T>(subject, Pairs).ConfigureAwait(false),
            ];
            if (round >= 0)
                table.Add(name, ns);
        }
    }
    table.Print();
}
return 0;

internal sealed class Table(int size, string[] cases)
{
    private readonly Dictionary<string, List<double>[]> _rows = [];

    public void Add(string name, double[] ns)
    {
        if (!_rows.TryGetValue(name, out List<double>[]? row))
            _rows[name] = row = [.. ns.Select(static _ => new List<double>())];
        for (int i = 0; i < ns.Length; i++)
            row[i].Add(ns[i]);
    }

    public void Print()
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        Console.WriteLine(string.Create(culture, $"{size} bytes, ns for renting and returning"));
        Console.WriteLine(string.Create(culture, $"{"",-18}{string.Concat(cases.Select(static c => c.PadLeft(12)))}"));
        foreach (string name in _rows.Keys)
            Console.WriteLine(string.Create(culture, $"{name,-18}{string.Concat(_rows[name].Select(ns => Median(ns).ToString("0.0", culture).PadLeft(12)))}"));
        string[] others = [.. _rows.Keys.Where(static name => name != "nothing" && !name.StartsWith("netgo", StringComparison.Ordinal))];
        IEnumerable<string> ratios = cases.Select((_, i) => (Median(_rows["netgo"][i]) / others.Min(name => Median(_rows[name][i]))).ToString("0.00x", culture));
        Console.WriteLine($"{"netgo to the best",-18}{string.Concat(ratios.Select(static r => r.PadLeft(12)))}");
        Console.WriteLine();
    }

    private static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
