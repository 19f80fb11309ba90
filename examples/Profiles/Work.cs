using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using NetGo.Http;

namespace Profiles;

/// <summary>A handler that computes.</summary>
internal static class Work
{
    private static readonly TimeSpan s_duration = TimeSpan.FromMilliseconds(20);

    public static async ValueTask ServeAsync(ResponseWriter response, Request request)
    {
        long primes = CountPrimes();
        await response.WriteAsync(Describe(primes));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CountPrimes()
    {
        long start = Stopwatch.GetTimestamp();
        long count = 0;
        for (int n = 2; Stopwatch.GetElapsedTime(start) < s_duration; n++)
        {
            if (IsPrime(n))
                count++;
        }
        return count;
    }

    private static bool IsPrime(int n)
    {
        for (int d = 2; d * d <= n; d++)
        {
            if (n % d == 0)
                return false;
        }
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string Describe(long primes)
    {
        var words = new List<string>();
        for (int i = 0; i < 1_000; i++)
            words.Add(string.Create(CultureInfo.InvariantCulture, $"{primes + i} "));
        return string.Concat(words);
    }
}
