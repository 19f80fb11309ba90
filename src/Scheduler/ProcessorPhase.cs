namespace NetGo;

/// <summary>Where a processor is in its life; <c>GoScheduler.Processors.cs</c> has the transitions.</summary>
internal enum ProcessorPhase
{
    /// <summary>In use.</summary>
    Active,

    /// <summary>Not in use any more, but a machine holds it still.</summary>
    Retiring,

    /// <summary>Not in use, and empty.</summary>
    Retired,
}
