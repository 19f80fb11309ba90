using System.Text;

namespace NetGo;

/// <summary>What a goroutine was doing at a moment; a line of Go's goroutine dump.</summary>
/// <param name="Id">A number unique within its scheduler.</param>
/// <param name="SpawnSite">Where it was spawned: "file:line".</param>
/// <param name="Status">Its state.</param>
/// <param name="WaitReason">Why it was parked, when it was.</param>
/// <param name="IsBranch">It stands for code of goroutine <paramref name="Id"/> that runs beside it: an async method that was
/// called and not awaited at once.</param>
public sealed record GoroutineInfo(long Id, string SpawnSite, GoroutineStatus Status, WaitReason WaitReason, bool IsBranch)
{
    /// <summary>As in "goroutine 3 [channel receive], spawned at Program.cs:12".</summary>
    public override string ToString() =>
        $"goroutine {Id}{(IsBranch ? " (not awaited)" : "")} [{Words(Status == GoroutineStatus.Waiting ? WaitReason.ToString() : Status.ToString())}], spawned at {SpawnSite}";

    // "ChannelReceive" to "channel receive"; "IOWait" to "IO wait".
    private static string Words(string name)
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
