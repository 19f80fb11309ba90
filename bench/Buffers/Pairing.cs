using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace BuffersBench;

/// <summary>Rents and returns for a while, and says what a pair of the two took, in ns of one goroutine.</summary>
internal static class Pairing
{
    private const int Batch = 100;
    private const int Held = 16;
    private const int RingSize = 64;

    /// <summary>One goroutine, one buffer at a time.</summary>
    public static double Alone<TSubject, T>(TSubject subject, int pairs)
        where TSubject : struct, ISubject<T>
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < pairs; i += Batch)
            RentAndReturn<TSubject, T>(subject);
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / pairs;
    }

    // A method that is called often is compiled with what was seen of it; a loop that runs for long is not.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RentAndReturn<TSubject, T>(TSubject subject)
        where TSubject : struct, ISubject<T>
    {
        for (int i = 0; i < Batch; i++)
            subject.Return(subject.Rent());
    }

    /// <summary>One goroutine, that has 16 at a time.</summary>
    public static double Several<TSubject, T>(TSubject subject, int pairs)
        where TSubject : struct, ISubject<T>
    {
        T[] held = new T[Held];
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < pairs; i += Held)
            RentAndReturnAll(subject, held);
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / pairs;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RentAndReturnAll<TSubject, T>(TSubject subject, T[] held)
        where TSubject : struct, ISubject<T>
    {
        for (int i = 0; i < held.Length; i++)
            held[i] = subject.Rent();
        for (int i = 0; i < held.Length; i++)
            subject.Return(held[i]);
    }

    /// <summary>Two goroutines at once, each for itself.</summary>
    public static async Task<double> TwoAsync<TSubject, T>(TSubject subject, int pairs)
        where TSubject : struct, ISubject<T>
    {
        int ready = 0;
        double[] ns = await Task.WhenAll(RunAsync(), RunAsync()).ConfigureAwait(false);
        return (ns[0] + ns[1]) / 2;

        Task<double> RunAsync() => Go.RunAsync(() =>
        {
            Interlocked.Increment(ref ready);
            while (Volatile.Read(ref ready) < 2)
                Thread.SpinWait(1);
            return Task.FromResult(Several<TSubject, T>(subject, pairs));
        });
    }

    /// <summary>One goroutine rents, and another, on the other core, returns.</summary>
    public static async Task<double> HandOverAsync<TSubject, T>(TSubject subject, int pairs)
        where TSubject : struct, ISubject<T>
    {
        T[] ring = new T[RingSize];
        var indices = new PaddedIndices();
        Task<double> returns = Go.RunAsync(() => Task.FromResult(Consume(subject, ring, indices, pairs)));
        Task<double> rents = Go.RunAsync(() => Task.FromResult(Produce(subject, ring, indices, pairs)));
        return Math.Max(await returns.ConfigureAwait(false), await rents.ConfigureAwait(false));
    }

    private static double Produce<TSubject, T>(TSubject subject, T[] ring, PaddedIndices indices, int pairs)
        where TSubject : struct, ISubject<T>
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < pairs; i++)
        {
            while (i - Volatile.Read(ref indices.Taken) >= RingSize)
                Thread.SpinWait(1);
            ring[i % RingSize] = RentOne<TSubject, T>(subject);
            Volatile.Write(ref indices.Put, i + 1);
        }
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / pairs;
    }

    private static double Consume<TSubject, T>(TSubject subject, T[] ring, PaddedIndices indices, int pairs)
        where TSubject : struct, ISubject<T>
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < pairs; i++)
        {
            while (Volatile.Read(ref indices.Put) <= i)
                Thread.SpinWait(1);
            ReturnOne(subject, ring[i % RingSize]);
            Volatile.Write(ref indices.Taken, i + 1);
        }
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / pairs;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static T RentOne<TSubject, T>(TSubject subject)
        where TSubject : struct, ISubject<T> => subject.Rent();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ReturnOne<TSubject, T>(TSubject subject, T buffer)
        where TSubject : struct, ISubject<T> => subject.Return(buffer);

#pragma warning disable CS0169, IDE0044, IDE0051 // the padding is never used
    private sealed class PaddedIndices
    {
        public int Put;
        private Padding _padding;
        public int Taken;
    }

    [InlineArray(64)]
    private struct Padding
    {
        private int _first;
    }
#pragma warning restore CS0169, IDE0044, IDE0051
}
