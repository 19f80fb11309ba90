// What the scheduler's design promises, tried: each experiment runs variants in turn, in short slices, and prints a table of medians with quartiles.
// run.sh builds what is needed and runs them.
using Experiments;

const string Usage = """
    usage: Experiments NAME [--short] [--rounds N] [--seconds S] [--rate PATH] [--idle PATH] [--go PATH]
           Experiments serve threads|netpoll PORT        the servers of `threads`
           Experiments load PORT CONNECTIONS SECONDS     their client
           Experiments send PORT CONNECTIONS FRAME       the client of `reads`
           Experiments burn                              the busy neighbour of `binding`
           These end when their standard input does.

      NAME        stealing, threads, binding, policy, reads, delay or lines
      --short     a moment of each variant, to see that it runs
      --rounds    how often each variant is measured
      --seconds   how long each time
      --rate      the program loadtests/rate
      --idle      the program loadtests/idle; for `threads`
      --go        the program in go/; for `delay`, which leaves Go out without it
    """;

if (args is ["--help"])
{
    Console.WriteLine(Usage);
    return 0;
}
Experiment[] all =
[
    new StealingExperiment(), new ThreadsExperiment(), new BindingExperiment(), new PolicyExperiment(), new ReadsExperiment(), new DelayExperiment(),
    new LinesExperiment(),
];
try
{
    switch (args)
    {
        case ["serve", var kind, var port]:
            EndWithInput();
            await PlainServer.RunAsync(kind, CommandLine.Number(port, 1, 65535));
            return 0;
        case ["load", var port, var connections, var seconds]:
            await Go.RunAsync(() => LoadClient.RunAsync(CommandLine.Number(port, 1, 65535), CommandLine.Number(connections, 1, 60_000), CommandLine.ParseSeconds(seconds)));
            return 0;
        case ["send", var port, var connections, var frame]:
            EndWithInput();
            FrameSender.Run(CommandLine.Number(port, 1, 65535), CommandLine.Number(connections, 1, 10_000), CommandLine.Number(frame, 1, 1 << 20));
            return 0;
        case ["burn"]:
            EndWithInput();
            Work.Forever();
            return 0;
        case [var name, .. var rest] when Array.Find(all, e => e.Name == name) is { } experiment:
            await experiment.RunAsync(CommandLine.Parse(rest, experiment));
            return 0;
    }
}
catch (CommandLineException e)
{
    Console.Error.WriteLine($"Experiments: {e.Message}");
}
catch (InvalidOperationException e)
{
    Console.Error.WriteLine($"Experiments: {e.Message}"); // a program beside this one has failed, or an answer was wrong
    return 1;
}
Console.Error.WriteLine(Usage);
return 2;

// Who has started this holds the other end of its input: should he be killed, it is not left behind.
static void EndWithInput()
{
    var watch = new Thread(static () =>
    {
        _ = Console.In.ReadToEnd();
        Environment.Exit(0);
    });
    watch.IsBackground = true;
    watch.Start();
}
