/// <summary>Nobody listens: one file has neither OpenTelemetry nor event sources in it.</summary>
internal static class Watching
{
    public static IReadOnlyList<string> Kinds { get; } = [];

    public static IDisposable Begin(string kind) => throw new NotSupportedException($"--watch {kind} is for the netgo that is not one file.");
}
