using System.Text;

namespace NetGo;

/// <summary>What a goroutine was doing at a moment; a line of Go's goroutine dump.</summary>
/// <param name="Id">A number unique within its scheduler. 0 stands for code on a thread that runs no goroutine.</param>
/// <param name="SpawnSite">Where it was spawned: "file:line".</param>
/// <param name="Status">Its state.</param>
/// <param name="WaitReason">Why it was parked, when it was.</param>
/// <param name="IsBranch">It stands for code of goroutine <paramref name="Id"/> that runs beside it: an async method that was
/// called and not awaited at once.</param>
public sealed record GoroutineInfo(long Id, string SpawnSite, GoroutineStatus Status, WaitReason WaitReason, bool IsBranch)
{
    /// <summary>For how long it has been parked, at least: from when it was first seen so. That is looked at every 5 seconds by default, and when
    /// goroutines are listed; as Go's is with each collection. Null when it was not parked, or had not been seen so before.</summary>
    public TimeSpan? WaitTime { get; init; }

    /// <summary>The path of the file that it was spawned in.</summary>
    public string SpawnFile { get; init; } = "";

    /// <summary>The line that it was spawned in.</summary>
    public int SpawnLine { get; init; }

    /// <summary>The system's number of the thread that it runs on, or blocks; 0 when it does not run, and where that is not known.</summary>
    public int ThreadId { get; init; }

    /// <summary>What it waits in, from the innermost async method outwards. Empty unless it was asked for
    /// (<see cref="GoScheduler.GoroutineStacks"/>), and where it cannot be found out.</summary>
    public IReadOnlyList<GoroutineFrame> Frames { get; init; } = [];

    /// <summary>The state, or what it waits for, in words: "channel receive".</summary>
    public string State => Words(Status == GoroutineStatus.Waiting ? WaitReason.ToString() : Status.ToString());

    /// <summary>As in "goroutine 3 [channel receive], spawned at Program.cs:12".</summary>
    public override string ToString() => $"goroutine {Id}{(IsBranch ? " (not awaited)" : "")} [{State}], spawned at {SpawnSite}";

    /// <summary>"ChannelReceive" to "channel receive"; "IOWait" to "IO wait".</summary>
    internal static string Words(string name)
    {
        var words = new StringBuilder();
        for (int i = 0; i < name.Length; i++)
        {
            bool begins = i > 0 && char.IsUpper(name[i]) && (char.IsLower(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (begins)
                words.Append(' ');
            bool abbreviation = i + 1 < name.Length && char.IsUpper(name[i]) && char.IsUpper(name[i + 1]);
            words.Append(abbreviation || (i > 0 && char.IsUpper(name[i - 1]) && char.IsUpper(name[i]) && !begins) ? name[i] : char.ToLowerInvariant(name[i]));
        }
        return words.ToString();
    }
}
