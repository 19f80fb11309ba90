namespace OrleansCluster;

/// <summary>By what a process is connected.</summary>
/// <param name="Accepted">Connections that NetGo has accepted for it.</param>
/// <param name="Dialled">Connections that NetGo has opened for it.</param>
/// <param name="GoroutineRuns">How often the scheduler has run a goroutine: at least once for each read that had to wait.</param>
/// <param name="OtherPollers">Threads of System.Net.Sockets that poll. There are some from the first socket on that is used asynchronously, so none of
/// them means that nothing in the process goes by those sockets. Linux only, 0 elsewhere.</param>
[GenerateSerializer]
[Alias("TransportReport")]
internal readonly record struct TransportReport(
    [property: Id(0)] int Accepted, [property: Id(1)] int Dialled, [property: Id(2)] long GoroutineRuns, [property: Id(3)] int OtherPollers)
{
    public static TransportReport Of(CountedTransport transport, RunCount runs) =>
        new(transport.Accepted, transport.Dialled, runs.Value, CountSocketPollers());

    private static int CountSocketPollers()
    {
        if (!OperatingSystem.IsLinux())
            return 0;
        int count = 0;
        foreach (string thread in Directory.EnumerateDirectories("/proc/self/task"))
        {
            try
            {
                if (File.ReadAllText(Path.Combine(thread, "comm")).StartsWith(".NET Sockets", StringComparison.Ordinal))
                    count++;
            }
            catch (IOException)
            {
                // The thread has ended meanwhile.
            }
        }
        return count;
    }

    public override string ToString() => $"{Accepted} accepted, {Dialled} dialled, {GoroutineRuns} runs of goroutines, {OtherPollers} other pollers";
}
