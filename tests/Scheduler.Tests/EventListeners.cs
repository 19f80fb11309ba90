namespace NetGo.Tests;

/// <summary>Tests that make event listeners, one at a time: of two that are disposed of at the same moment the runtime may make a dead-lock.</summary>
[CollectionDefinition(Name)]
public sealed class EventListeners
{
    /// <summary>For the attribute.</summary>
    public const string Name = "event listeners";
}
