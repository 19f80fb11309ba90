using System.Globalization;

namespace NetGo.LoadTests;

/// <summary>What /proc says of a process and those it has started.</summary>
internal static class ProcessFigures
{
    private const double TicksPerSecond = 100; // USER_HZ, which is the same on all of Linux

    /// <summary>Processor time that it has used, user and system, in seconds; of ended children too, when they were waited for.</summary>
    public static double CpuSeconds(int pid)
    {
        double seconds = 0;
        foreach (int member in Tree(pid))
        {
            if (Stat(member) is { } fields)
                seconds += (Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14])) / TicksPerSecond;
        }
        return seconds;
    }

    /// <summary>Private (clean and dirty) and resident memory, in bytes.</summary>
    public static (long Private, long Resident) Memory(int pid)
    {
        long own = 0, resident = 0;
        foreach (int member in Tree(pid))
        {
            try
            {
                foreach (string line in File.ReadLines($"/proc/{member}/smaps_rollup"))
                {
                    if (line.StartsWith("Private_", StringComparison.Ordinal))
                        own += Kibibytes(line);
                    else if (line.StartsWith("Rss:", StringComparison.Ordinal))
                        resident += Kibibytes(line);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // it has ended meanwhile
            }
        }
        return (own, resident);
    }

    /// <summary>Processor time of this process and of those that it has waited for, in seconds.</summary>
    public static double OwnSeconds() =>
        Stat(Environment.ProcessId) is { } fields ? (Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14])) / TicksPerSecond : 0;

    public static IReadOnlyList<int> Children(int pid) => [.. Tree(pid).Skip(1)];

    public static int Descriptors(int pid) => Directory.Exists($"/proc/{pid}/fd") ? Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length : 0;

    /// <summary>Its own, and those of the processes that it has started.</summary>
    public static int DescriptorsOfAll(int pid) => Tree(pid).Sum(Descriptors);

    /// <summary>Processor time that these cores have spent on anything, in seconds.</summary>
    public static double BusySeconds(IReadOnlyCollection<int> cores)
    {
        double ticks = 0;
        foreach (string line in File.ReadLines("/proc/stat"))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 8 && words[0].Length > 3 && words[0].StartsWith("cpu", StringComparison.Ordinal) && cores.Contains(int.Parse(words[0][3..], CultureInfo.InvariantCulture)))
                ticks += Number(words[1]) + Number(words[2]) + Number(words[3]) + Number(words[6]) + Number(words[7]) + Number(words[8]);
        }
        return ticks / TicksPerSecond;
    }

    private static List<int> Tree(int pid)
    {
        var parents = new Dictionary<int, int>();
        foreach (string folder in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), out int id) && Stat(id) is { } fields)
                parents[id] = (int)Number(fields[1]);
        }
        List<int> tree = [pid];
        for (int i = 0; i < tree.Count; i++)
            tree.AddRange(parents.Where(p => p.Value == tree[i]).Select(static p => p.Key));
        return tree;
    }

    // The fields from the third on: those before are the number and the name, which may have spaces in it.
    private static string[]? Stat(int pid)
    {
        try
        {
            string text = File.ReadAllText($"/proc/{pid}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static long Kibibytes(string line) => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
}
