namespace NetGo.Diagnostics;

/// <summary>What the values of a profile are.</summary>
/// <param name="Name">As in "cpu".</param>
/// <param name="Unit">As in "nanoseconds".</param>
internal readonly record struct ProfileUnit(string Name, string Unit);
