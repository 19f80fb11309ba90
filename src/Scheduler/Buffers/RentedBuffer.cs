using System.Diagnostics;

namespace NetGo;

/// <summary>A buffer that somebody has; of <see cref="BufferPool.GetRented"/>.</summary>
/// <param name="Length">In bytes.</param>
/// <param name="RentedAt">The calls that led to its renting.</param>
public sealed record RentedBuffer(int Length, StackTrace RentedAt)
{
    /// <summary>As a report has it: the length, and the calls, innermost first.</summary>
    public override string ToString() => $"{Length} bytes, rented{Environment.NewLine}{RentedAt}";
}
