using System.Text;

namespace NetGo.Fuzz;

/// <summary>What must hold of any input: the server does not fail, its answers are well-formed and do not depend on how the bytes came, and it
/// understands what <see cref="ReferenceReader"/> does.</summary>
internal sealed class Checker(GoScheduler scheduler)
{
    // Beyond this a limit may be what refuses a message, of which the reference knows nothing.
    private const int MaxCompared = 7000;
    private const int MaxFields = 95;

    private readonly HttpTarget _target = new(scheduler);

    /// <returns>How many requests were understood in it.</returns>
    /// <exception cref="InvalidOperationException">Something does not hold.</exception>
    public async Task<int> CheckAsync(byte[] input, IEnumerable<int[]> cuts)
    {
        (Understood understood, string answers) = await _target.RunAsync(input, []);
        if (input.Length <= MaxCompared && input.Count(b => b == '\n') <= MaxFields)
            Compare(understood, ReferenceReader.Read(input));
        foreach (int[] places in cuts)
        {
            (Understood other, string otherAnswers) = await _target.RunAsync(input, places);
            if (otherAnswers != answers || other.ToString() != understood.ToString())
                throw new InvalidOperationException($"Cut at {string.Join(", ", places)} it was\n{other}\n{otherAnswers}\nand whole\n{understood}\n{answers}");
        }
        return understood.Requests.Count;
    }

    private static void Compare(Understood server, Understood reference)
    {
        bool same = server.Requests.SequenceEqual(reference.Requests) &&
            // Of a head that is cut off the server may have seen enough to refuse it.
            (server.End == reference.End || reference.End == Ending.Cut);
        if (!same)
            throw new InvalidOperationException($"The server understood\n{server}\nand the reference\n{reference}");
    }

    public static string Describe(byte[] input) => $"{input.Length} bytes, base64 {Convert.ToBase64String(input)}\n{Encoding.Latin1.GetString(input)}";
}
