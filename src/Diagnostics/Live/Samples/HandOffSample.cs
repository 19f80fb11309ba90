namespace NetGo.Diagnostics;

/// <summary>How many hand-offs there have been since the scheduler was made, by reason.</summary>
internal sealed record HandOffSample(long Blocked, long Syscall, long TimeSlice);
