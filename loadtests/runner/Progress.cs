using System.Diagnostics;

namespace NetGo.LoadTests;

/// <summary>Says on the standard error what is being done: in one line on a terminal, else a line for each scenario.</summary>
internal sealed class Progress(int steps)
{
    private readonly long _begin = Stopwatch.GetTimestamp();
    private readonly bool _isTerminal = !Console.IsErrorRedirected;
    private string _last = "";
    private int _done;

    public void Say(string scenario, string what)
    {
        string time = Stopwatch.GetElapsedTime(_begin).ToString(@"hh\:mm\:ss", System.Globalization.CultureInfo.InvariantCulture);
        string line = $"{time} {Math.Min(_done, steps)}/{steps} {scenario}: {what}";
        if (_isTerminal)
            Console.Error.Write($"\r\e[K{line[..Math.Min(line.Length, 110)]}");
        else if (_last != scenario)
            Console.Error.WriteLine(line);
        _last = scenario;
    }

    public void Done() => _done++;

    public void Tell(string line)
    {
        if (_isTerminal)
            Console.Error.Write("\r\e[K");
        Console.Error.WriteLine(line);
    }
}
