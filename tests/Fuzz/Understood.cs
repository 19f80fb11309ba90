namespace NetGo.Fuzz;

/// <summary>What a reader has made of the bytes of a connection.</summary>
/// <param name="Requests">One line for each request that it took for one: method, target, host, content or "broken".</param>
/// <param name="End">How it ended.</param>
internal sealed record Understood(IReadOnlyList<string> Requests, Ending End)
{
    public override string ToString() => string.Join('\n', Requests) + "\n" + End;
}

internal enum Ending
{
    /// <summary>The bytes ended between two requests, or a request was the last by its own word.</summary>
    Clean,

    /// <summary>The bytes ended within a request's head.</summary>
    Cut,

    /// <summary>A request was refused.</summary>
    Refused,
}
