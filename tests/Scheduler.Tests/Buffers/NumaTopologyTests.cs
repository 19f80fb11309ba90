namespace NetGo.Scheduler.Tests.Buffers;

public class NumaTopologyTests
{
    public NumaTopologyTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "The files are Linux'.");

    /// <summary>The system's number of the node that each core in turn is near to.</summary>
    private static IEnumerable<(int Cpu, int Node)> Homes(NumaTopology topology) =>
        [.. topology.Cpus.ToArray().Select(cpu => (cpu, topology.SystemNode(topology.NodeOfCpu(cpu))))];

    [Fact]
    public void One_node()
    {
        NumaTopology topology = Topologies.Read("one-node");
        Assert.Equal(1, topology.NodeCount);
        Assert.Equal([(0, 0), (1, 0), (2, 0), (3, 0)], Homes(topology));
    }

    [Fact]
    public void Two_nodes_whose_cores_alternate()
    {
        NumaTopology topology = Topologies.Read("two-nodes-alternating");
        Assert.Equal(2, topology.NodeCount);
        Assert.Equal([(0, 0), (2, 0), (4, 0), (6, 0), (1, 1), (3, 1), (5, 1), (7, 1)], Homes(topology));
        Assert.Equal(0, topology.CpuOfProcessor(0));
        Assert.Equal(7, topology.CpuOfProcessor(7));
        Assert.Equal(0, topology.CpuOfProcessor(8)); // more processors than cores
        Assert.Equal([0, 2, 4, 6], topology.CpusOfNode(0));
        Assert.Equal([1, 3, 5, 7], topology.CpusOfNode(1));
    }

    [Fact]
    public void Eight_nodes_and_a_core_beyond_64()
    {
        NumaTopology topology = Topologies.Read("eight-nodes");
        Assert.Equal(8, topology.NodeCount);
        Assert.Equal(128, topology.Cpus.Length);
        Assert.Equal(0, topology.NodeOfCpu(0));
        Assert.Equal(4, topology.NodeOfCpu(64));
        Assert.Equal(7, topology.NodeOfCpu(127));
    }

    [Fact]
    public void Nodes_with_holes_in_their_numbers_are_counted_from_0()
    {
        NumaTopology topology = Topologies.Read("holes");
        Assert.Equal(3, topology.NodeCount);
        Assert.Equal([0, 2, 8], Enumerable.Range(0, 3).Select(topology.SystemNode));
        Assert.Equal([(0, 0), (1, 0), (4, 2), (5, 2), (32, 8), (33, 8)], Homes(topology));
    }

    [Fact]
    public void Cores_that_are_offline_are_none()
    {
        Assert.Equal([(0, 0), (1, 0), (5, 1)], Homes(Topologies.Read("offline-cores")));
    }

    [Fact]
    public void A_node_of_memory_without_cores_is_nobodys()
    {
        NumaTopology topology = Topologies.Read("memory-only-node");
        Assert.Equal(2, topology.NodeCount);
        Assert.Equal([(0, 0), (1, 0), (2, 1), (3, 1)], Homes(topology));
    }

    [Fact]
    public void A_node_of_cores_without_memory_uses_the_nearest_that_has_some()
    {
        Assert.Equal([(0, 0), (1, 0), (2, 3), (3, 3), (4, 3), (5, 3)], Homes(Topologies.Read("cores-without-memory")));
    }

    [Fact]
    public void A_container_has_what_its_cpuset_gives_it()
    {
        NumaTopology topology = Topologies.Read("cpuset");
        Assert.Equal([(2, 1), (3, 1), (6, 1), (7, 1)], Homes(topology)); // cores of both nodes, memory of one
        Assert.Equal(1, topology.NodeCount);
    }

    [Fact]
    public void A_process_has_what_its_affinity_gives_it()
    {
        NumaTopology topology = Topologies.Read("affinity");
        Assert.Equal([(5, 1), (6, 1)], Homes(topology));
        Assert.Equal(1, topology.NodeCount);
        Assert.Equal(0, topology.NodeOfCpu(0)); // not ours, and asked for all the same
        Assert.Equal(0, topology.NodeOfCpu(1000));
        Assert.Equal(0, topology.NodeOfCpu(-1));
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("garbage")]
    public void A_system_that_tells_nothing_or_nonsense_has_one_node(string name)
    {
        NumaTopology topology = Topologies.Read(name);
        Assert.Equal(1, topology.NodeCount);
        Assert.Equal(Environment.ProcessorCount, topology.Cpus.Length);
    }

    [Fact]
    public void This_machine_has_a_node_for_each_core()
    {
        NumaTopology topology = NumaTopology.Current;
        Assert.InRange(topology.NodeCount, 1, 1024);
        Assert.True(topology.Cpus.Length >= 1);
        Assert.All(topology.Cpus.ToArray(), cpu => Assert.InRange(topology.NodeOfCpu(cpu), 0, topology.NodeCount - 1));
    }

    [Theory]
    [InlineData("", new int[0])]
    [InlineData("3", new[] { 3 })]
    [InlineData("0-2,5", new[] { 0, 1, 2, 5 })]
    [InlineData("7,1-1", new[] { 1, 7 })]
    public void Lists_are_read_as_the_kernel_writes_them(string text, int[] numbers) => Assert.Equal(numbers, NumaTopology.ParseList(text));

    [Theory]
    [InlineData("a")]
    [InlineData("2-1")]
    [InlineData("-1")]
    [InlineData("1-")]
    [InlineData("0-999999999")]
    public void What_is_no_list_is_an_error(string text) => Assert.Throws<FormatException>(() => NumaTopology.ParseList(text));
}
