namespace NetGo;

/// <summary>Where a <see cref="Select"/> stands; the table is in Select.cs.</summary>
internal enum SelectPhase
{
    Idle,
    Waiting,
    Parked,
    Won,
    Done,
    TimedOut,
    Canceled,
}
