namespace NetGo.Interleaving;

/// <summary>What an exploration without a failure has seen.</summary>
/// <param name="Runs">How many lists of decisions were run.</param>
/// <param name="Points">How many points they had in all.</param>
/// <param name="Complete">Whether they were all there are within the bounds.</param>
internal sealed record Exploration(int Runs, long Points, bool Complete)
{
    public override string ToString() => $"{Runs} runs, {Points} points, {(Complete ? "complete" : "not complete")}";
}
