using System.Runtime.InteropServices;

namespace NetGo.Netpoll.Tests;

/// <summary>The Windows that the tests are run on where there is no Windows. It differs from it in a few ways.</summary>
internal static class Wine
{
    public const string ForgetsResets =
        "Wine's server asks for SO_ERROR when it sees a reset, and the next receive finds an end of the stream in its place.";

    public static bool IsHere { get; } =
        OperatingSystem.IsWindows() && NativeLibrary.TryLoad("ntdll", out nint ntdll) && NativeLibrary.TryGetExport(ntdll, "wine_get_version", out _);
}
