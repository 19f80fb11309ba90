using System.Numerics;
using System.Runtime.CompilerServices;

namespace NetGo;

/// <summary>What a processor counts. Written by its owner alone, without fences; others see about what it is.</summary>
internal struct ProcessorCounts
{
    public long Runs;
    public long Spawns;
    public long Steals;
    public long Sleeps;

    /// <summary>In nanoseconds.</summary>
    public long IdleTime;

    public long TimersFired;
    public long PolledReady;

    /// <summary>Polls by what they brought: none, 1, 2 to 3, 4 to 7, and so on.</summary>
    public BatchCounts Batches;

    [InlineArray(Length)]
    internal struct BatchCounts
    {
        public const int Length = 10;

        private long _first;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void CountPoll(int ready)
    {
        PolledReady += ready;
        Batches[Math.Min(BatchCounts.Length - 1, ready == 0 ? 0 : BitOperations.Log2((uint)ready) + 1)]++;
    }

    public readonly long[] CopyBatches() => ((ReadOnlySpan<long>)Batches).ToArray();
}
