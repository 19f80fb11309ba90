namespace Resp;

/// <summary>Reads for how long a key is to be kept.</summary>
internal static class Lifetime
{
    // A date has four digits for the year.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(365 * 7000);

    /// <param name="number">So many units.</param>
    /// <param name="ticksPerUnit">A unit, in ticks of 100 ns.</param>
    /// <param name="command">Whose argument it is.</param>
    /// <param name="mayBePast">Whether it may be 0 or negative.</param>
    /// <exception cref="RespCommandException">It is no number, or too large a one.</exception>
    public static TimeSpan Of(ReadOnlySpan<byte> number, long ticksPerUnit, string command, bool mayBePast)
    {
        long count = ArgumentReading.ReadInteger(number);
        long most = s_longest.Ticks / ticksPerUnit;
        if ((count <= 0 && !mayBePast) || count > most || count < -most)
            throw new RespCommandException($"ERR invalid expire time in '{command}' command");
        return new TimeSpan(count * ticksPerUnit);
    }
}
