namespace NetGo;

/// <summary>Where the thread that runs the goroutines of a processor may run, and with it what it finds near: what a processor keeps, its
/// buffers above all, is in the memory of one node. On Linux (sched_setaffinity(2)); elsewhere each is as <see cref="None"/>.</summary>
public enum MachineBinding
{
    /// <summary>Where the system puts it.</summary>
    None,

    /// <summary>On the cores of the processor's memory node that the process may use.</summary>
    Node,

    /// <summary>On the processor's own core. The system does not move it away from others, though: threads that are not this
    /// scheduler's, and a goroutine that has lost its processor because it ran for too long, compete with it for that
    /// core even while others are free.</summary>
    Core,
}
