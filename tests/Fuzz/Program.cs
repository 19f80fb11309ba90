using System.Diagnostics;
using System.Globalization;
using NetGo;
using NetGo.Fuzz;
using SharpFuzz;

// NetGo.Fuzz [--cases N] [--seed S]   random messages: 100,000 unless told
// NetGo.Fuzz --split                  each message of the corpus, cut at every byte, at every two, and into single bytes
// NetGo.Fuzz --afl                    under afl-fuzz: see run.sh
// NetGo.Fuzz --corpus DIRECTORY       writes the corpus there, a file each
// NetGo.Fuzz --input FILE             one message: what was understood, or what does not hold

long cases = 100_000;
int seed = Environment.TickCount;
string mode = "random";
string path = "";
for (int i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--cases":
            cases = long.Parse(args[++i], CultureInfo.InvariantCulture);
            break;
        case "--seed":
            seed = int.Parse(args[++i], CultureInfo.InvariantCulture);
            break;
        case "--split" or "--afl":
            mode = args[i][2..];
            break;
        case "--corpus" or "--input":
            mode = args[i][2..];
            path = args[++i];
            break;
        default:
            Console.Error.WriteLine($"{args[i]} is no option.");
            return 2;
    }
}

using var scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = 1 });
switch (mode)
{
    case "corpus":
        Directory.CreateDirectory(path);
        for (int i = 0; i < Corpus.Messages.Length; i++)
            File.WriteAllBytes(Path.Combine(path, $"{i:00}"), Corpus.Messages[i]);
        return 0;
    case "afl":
        Checker? checker = null; // what is instrumented must not run before Fuzzer.Run
        Fuzzer.Run(stream =>
        {
            checker ??= new Checker(scheduler);
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            byte[] input = copy.ToArray();
            scheduler.RunAsync(() => checker.CheckAsync(input, [[input.Length / 2]])).GetAwaiter().GetResult();
        });
        return 0;
    case "input":
        return await RunAsync([File.ReadAllBytes(path)], input => [.. Enumerable.Range(1, input.Length).Select(cut => (int[])[cut])]);
    case "split":
        return await RunAsync([.. Corpus.Messages, .. Corpus.LongMessages], Corpus.EveryCut);
    default:
        Console.WriteLine($"seed {seed}");
        var mutator = new Mutator(new Random(seed), [.. Corpus.Messages, .. Corpus.Messages, .. Corpus.LongMessages]);
        return await RunAsync(Mutations(mutator), input => [mutator.Cuts(input.Length)]);
}

IEnumerable<byte[]> Mutations(Mutator mutator)
{
    for (long i = 0; i < cases; i++)
        yield return mutator.Next();
}

async Task<int> RunAsync(IEnumerable<byte[]> inputs, Func<byte[], IEnumerable<int[]>> cuts)
{
    long done = 0;
    long requests = 0;
    long start = Stopwatch.GetTimestamp();
    try
    {
        await scheduler.RunAsync(async () =>
        {
            var checker = new Checker(scheduler);
            foreach (byte[] input in inputs)
            {
                try
                {
                    requests += await checker.CheckAsync(input, cuts(input));
                }
                catch (Exception e)
                {
                    throw new InvalidOperationException($"Case {done}: {e.Message}\n{Checker.Describe(input)}", e);
                }
                if (++done % 1_000_000 == 0)
                    Console.WriteLine($"{done} messages, {requests} requests");
            }
        });
    }
    catch (InvalidOperationException e)
    {
        Console.WriteLine(e.Message);
        return 1;
    }
    Console.WriteLine($"{done} messages, {requests} requests understood, in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s: all as they must be");
    return 0;
}
