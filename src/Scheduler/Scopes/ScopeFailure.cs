namespace NetGo;

/// <summary>What went wrong in a <see cref="TaskScope"/>.</summary>
/// <param name="Path">The task, or the scope itself for its body.</param>
/// <param name="Exception">What it threw.</param>
public readonly record struct ScopeFailure(string Path, Exception Exception);
