using System.Diagnostics;

namespace NetGo.LoadTests;

/// <summary>The processor time of a target and of all else, from now on.</summary>
internal sealed class Watch
{
    private readonly int _pid;
    private readonly IReadOnlyCollection<int> _cores;
    private readonly long _begin = Stopwatch.GetTimestamp();
    private readonly double _target;
    private readonly double _own;
    private readonly double _busy;

    public Watch(int pid, IReadOnlyCollection<int> cores)
    {
        _pid = pid;
        _cores = cores;
        _target = ProcessFigures.CpuSeconds(pid);
        _own = ProcessFigures.OwnSeconds();
        _busy = ProcessFigures.BusySeconds(cores);
    }

    /// <summary>Seconds of the target, how many cores that is, and how many cores others than it and this program's clients took.</summary>
    public (double Cpu, double Core, double Others) Read()
    {
        double busy = ProcessFigures.BusySeconds(_cores) - _busy;
        double cpu = ProcessFigures.CpuSeconds(_pid) - _target;
        double own = ProcessFigures.OwnSeconds() - _own;
        double took = Stopwatch.GetElapsedTime(_begin).TotalSeconds;
        return (cpu, cpu / took, Math.Max(0, (busy - cpu - own) / took));
    }
}
