using System.Globalization;

namespace NetGo;

// What is asked of a Linux system, all of it files of sysfs(5), and of proc(5) for what this process may use:
//
//   devices/system/cpu/online            the cores there are
//   devices/system/node/online           the nodes there are; numbers may be missing
//   devices/system/node/has_memory       those with memory (absent in old kernels: all)
//   devices/system/node/nodeN/cpulist    a node's cores: none, for a node that is only memory
//   devices/system/node/nodeN/distance   how far it is to each of the nodes that are online, in their order
//   fs/cgroup/cpuset.{cpus,mems}.effective   what the container may use
//   proc/self/status                     Cpus_allowed_list, Mems_allowed_list: what the process may use
//
// A core's home is its node; where that has no memory, or none for us, the nearest one that has. A node that is no core's home is
// left out: nobody runs there to whom its memory would be near.

/// <summary>The machine's cores and memory nodes, as far as this process may use them. Nodes are numbered from 0 without holes;
/// <see cref="SystemNode"/> is what the system calls one. Where the system tells nothing, or has no nodes, there is one.</summary>
internal sealed class NumaTopology
{
    private static readonly Lazy<NumaTopology> s_current = new(static () => Read("/sys", "/proc"));

    private readonly int[] _cpus;
    private readonly int[] _systemNodes;
    private readonly int[] _nodeOfCpu;

    private NumaTopology(int[] cpus, int[] systemNodes, int[] nodeOfCpu)
    {
        _cpus = cpus;
        _systemNodes = systemNodes;
        _nodeOfCpu = nodeOfCpu;
    }

    /// <summary>Of this machine, as it was when first asked for.</summary>
    public static NumaTopology Current => s_current.Value;

    public int NodeCount => _systemNodes.Length;

    /// <summary>The system's numbers of the cores that may be used, node by node.</summary>
    public ReadOnlySpan<int> Cpus => _cpus;

    /// <summary>The cores among <see cref="Cpus"/> that are nearest to a node.</summary>
    public ReadOnlySpan<int> CpusOfNode(int node)
    {
        int first = Array.FindIndex(_cpus, cpu => NodeOfCpu(cpu) == node);
        return _cpus.AsSpan(first, Array.FindLastIndex(_cpus, cpu => NodeOfCpu(cpu) == node) + 1 - first);
    }

    /// <summary>The system's number of a node.</summary>
    public int SystemNode(int node) => _systemNodes[node];

    /// <summary>The node that is nearest to a core; 0 for one that is not known.</summary>
    public int NodeOfCpu(int cpu) => (uint)cpu < (uint)_nodeOfCpu.Length ? _nodeOfCpu[cpu] : 0;

    /// <summary>The core that a processor stands for: they are given out in turn.</summary>
    public int CpuOfProcessor(int index) => _cpus[index % _cpus.Length];

    /// <summary>One node with this many cores.</summary>
    public static NumaTopology Uniform(int cpus) => new([.. Enumerable.Range(0, cpus)], [0], new int[cpus]);

    /// <summary>Reads a system's files.</summary>
    /// <param name="sys">Where sysfs is; /sys.</param>
    /// <param name="proc">Where procfs is; /proc.</param>
    public static NumaTopology Read(string sys, string proc)
    {
        if (!OperatingSystem.IsLinux())
            return Uniform(Environment.ProcessorCount);
        try
        {
            return new Reader(sys, proc).Read() ?? Uniform(Environment.ProcessorCount);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or OverflowException)
        {
            return Uniform(Environment.ProcessorCount);
        }
    }

    /// <summary>A list as the kernel writes it, "0-2,5": ascending.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static SortedSet<int> ParseList(string text)
    {
        SortedSet<int> numbers = [];
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            int dash = part.IndexOf('-', StringComparison.Ordinal);
            int first = int.Parse(dash < 0 ? part : part[..dash], NumberStyles.None, CultureInfo.InvariantCulture);
            int last = dash < 0 ? first : int.Parse(part[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture);
            if (last < first || last - first > 1 << 16)
                throw new FormatException($"'{part}' is no range.");
            for (int i = first; i <= last; i++)
                numbers.Add(i);
        }
        return numbers;
    }

    private sealed class Reader(string sys, string proc)
    {
        private readonly string _nodes = Path.Combine(sys, "devices/system/node");

        public NumaTopology? Read()
        {
            if (ListIn(Path.Combine(_nodes, "online")) is not { } online)
                return null;
            SortedSet<int> cpus = [];
            Dictionary<int, int> ownNode = [];
            foreach (int node in online)
            {
                foreach (int cpu in ListIn(Path.Combine(_nodes, $"node{node}/cpulist")) ?? [])
                {
                    cpus.Add(cpu);
                    ownNode[cpu] = node;
                }
            }
            Keep(cpus, ListIn(Path.Combine(sys, "devices/system/cpu/online")));
            Keep(cpus, ListIn(Path.Combine(sys, "fs/cgroup/cpuset.cpus.effective")));
            Keep(cpus, ListInStatus("Cpus_allowed_list:"));
            SortedSet<int> withMemory = [.. online];
            Keep(withMemory, ListIn(Path.Combine(_nodes, "has_memory")));
            Keep(withMemory, ListIn(Path.Combine(sys, "fs/cgroup/cpuset.mems.effective")));
            Keep(withMemory, ListInStatus("Mems_allowed_list:"));
            if (cpus.Count == 0 || withMemory.Count == 0)
                return null;

            Dictionary<int, int> home = cpus.ToDictionary(static cpu => cpu, cpu => Nearest(ownNode[cpu], online, withMemory));
            int[] systemNodes = [.. home.Values.Distinct().Order()];
            int[] nodeOfCpu = new int[cpus.Max + 1];
            foreach ((int cpu, int node) in home)
                nodeOfCpu[cpu] = Array.IndexOf(systemNodes, node);
            return new NumaTopology([.. cpus.OrderBy(cpu => nodeOfCpu[cpu])], systemNodes, nodeOfCpu);
        }

        private int Nearest(int node, SortedSet<int> online, SortedSet<int> withMemory)
        {
            if (withMemory.Contains(node))
                return node;
            string path = Path.Combine(_nodes, $"node{node}/distance");
            if (!File.Exists(path))
                return withMemory.Min;
            int[] distances = [.. File.ReadAllText(path).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
                .Select(static text => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture))];
            return online.Zip(distances).Where(pair => withMemory.Contains(pair.First)).OrderBy(static pair => pair.Second)
                .Select(static pair => pair.First).FirstOrDefault(withMemory.Min);
        }

        // A limit that allows nothing of what there is is not meant for this list, or out of date.
        private static void Keep(SortedSet<int> all, SortedSet<int>? allowed)
        {
            if (allowed is not null && allowed.Overlaps(all))
                all.IntersectWith(allowed);
        }

        private static SortedSet<int>? ListIn(string path) => File.Exists(path) ? ParseList(File.ReadAllText(path).Trim()) : null;

        private SortedSet<int>? ListInStatus(string key)
        {
            string path = Path.Combine(proc, "self/status");
            string? line = File.Exists(path) ? File.ReadLines(path).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal)) : null;
            return line is null ? null : ParseList(line[key.Length..].Trim());
        }
    }
}
