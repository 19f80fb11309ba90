namespace Faults;

/// <summary>What is wrong with the shop.</summary>
internal enum Fault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>A handler blocks its thread.</summary>
    Block,

    /// <summary>All requests wait for one lock, so that a processor has nothing to do.</summary>
    Starve,

    /// <summary>A handler starts goroutines that never end.</summary>
    Leak,
}
