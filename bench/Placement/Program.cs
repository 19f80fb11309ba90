// Shows where buffers are on a machine with several memory nodes: placement. run.sh has such a machine.
using Placement;

NumaTopology topology = NumaTopology.Current;
Console.WriteLine($"{topology.Cpus.Length} cores, {topology.NodeCount} memory nodes");
bool passed = topology.NodeCount > 1;
if (!passed)
    Console.WriteLine("FAIL there are no nodes to tell apart");
// The first is to compare with. After a bound one it would not be unbound: with Native AOT a new thread inherits where its maker may run.
foreach (MachineBinding binding in (MachineBinding[])[MachineBinding.None, MachineBinding.Node, MachineBinding.Core])
{
    using var run = new PlacementRun(binding);
    await run.RunAsync();
    passed &= run.Passed;
}
Console.WriteLine();
Console.WriteLine(passed ? "PASS" : "FAIL");
return passed ? 0 : 1;
