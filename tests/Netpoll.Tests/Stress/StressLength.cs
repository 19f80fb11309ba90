using System.Globalization;

namespace NetGo.Netpoll.Tests.Stress;

/// <summary>How long the stress tests go on, and from which seed: <c>NETGO_STRESS=long</c> is for a run by hand, and
/// <c>NETGO_STRESS_SEED</c> for one that has failed.</summary>
internal static class StressLength
{
    private const int Longer = 50;

    public static int Of(int normal) => Environment.GetEnvironmentVariable("NETGO_STRESS") == "long" ? normal * Longer : normal;

    public static int Seed { get; } =
        Environment.GetEnvironmentVariable("NETGO_STRESS_SEED") is { } seed ? int.Parse(seed, CultureInfo.InvariantCulture) : Random.Shared.Next();
}
