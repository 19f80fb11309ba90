using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Experiments;

/// <summary>Computing for about so long. By a count and not by the clock: a thread that waits for a core has not computed meanwhile.</summary>
internal static class Work
{
    private static readonly double s_perMicrosecond = Calibrate();
    private static ulong s_result = 1;

    public static void For(int microseconds) => s_result = Compute((int)(microseconds * s_perMicrosecond), s_result);

    public static void Forever()
    {
        while (true)
            For(1000);
    }

    // The quickest of several: what else the machine does makes none of them quicker.
    private static double Calibrate()
    {
        const int Iterations = 200_000;
        double best = double.MaxValue;
        ulong result = 1;
        for (int i = 0; i < 20; i++)
        {
            long start = Stopwatch.GetTimestamp();
            result = Compute(Iterations, result);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }
        s_result = result;
        return Iterations / best;
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static ulong Compute(int iterations, ulong x)
    {
        x |= 1;
        for (int i = 0; i < iterations; i++)
        {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
        }
        return x;
    }
}
