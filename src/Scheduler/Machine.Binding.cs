namespace NetGo;

// A machine's thread and the cores that it may run on. When it takes a processor it is bound to that one's core, or the cores of its
// node, as SchedulerOptions.MachineBinding says; until the next it stays there, whether it has the processor still or not. A thread that is
// a goroutine's own (LockOSThread) stays where it was when it was locked, or where the goroutine brings it.
internal sealed partial class Machine
{
    private Processor? _boundTo;

    private void BindTo(Processor processor)
    {
        _boundTo = processor;
        NumaTopology topology = Scheduler.Buffers.Topology;
        int cpu = topology.CpuOfProcessor(processor.Index);
        ReadOnlySpan<int> near = Scheduler.Binding == MachineBinding.Core ? new(in cpu) : topology.CpusOfNode(topology.NodeOfCpu(cpu));
        // Cores may have gone offline, or been taken from the process: anywhere, then, and not where it was for the processor before.
        if (!LinuxThreads.TryBind(near))
            _ = LinuxThreads.TryBind(topology.Cpus);
    }
}
