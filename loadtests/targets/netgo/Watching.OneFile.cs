/// <summary>Nobody listens: one file has neither OpenTelemetry nor event sources in it.</summary>
internal static class Watching
{
    public static string Usage => "netgo PORT";

    public static bool IsKind(string kind) => false;

    public static IDisposable Begin(string kind) => throw new NotSupportedException($"--watch {kind} is for the netgo that is not one file.");
}
