namespace NetGo.Examples;

/// <summary>Runs the snippets of a document in a goroutine each, one after the other, and compares what they print.</summary>
internal sealed class Snippets
{
    private readonly TextWriter _console = Console.Out;
    private int _failures;

    /// <summary>0 when all have printed what they should.</summary>
    public int ExitCode => _failures == 0 ? 0 : 1;

    public Task RunAsync(string name, Func<Task> snippet, params string[] expected) => RunAsync(name, snippet, inOrder: true, expected);

    /// <summary>As <see cref="RunAsync(string, Func{Task}, string[])"/>, for one whose lines come in any order.</summary>
    public Task RunUnorderedAsync(string name, Func<Task> snippet, params string[] expected) => RunAsync(name, snippet, inOrder: false, expected);

    private async Task RunAsync(string name, Func<Task> snippet, bool inOrder, string[] expected)
    {
        using var printed = new StringWriter();
        Console.SetOut(printed);
        string outcome = "ok";
        try
        {
            await Go.RunAsync(snippet).WaitAsync(TimeSpan.FromMinutes(1));
            string[] lines = printed.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
            if (!inOrder)
                Array.Sort(lines, StringComparer.Ordinal);
            if (!lines.SequenceEqual(expected))
                outcome = $"FAILED: it printed {string.Join(" | ", lines)}, not {string.Join(" | ", expected)}";
        }
        catch (Exception e)
        {
            outcome = $"FAILED: {e}";
        }
        Console.SetOut(_console);
        if (outcome != "ok")
            _failures++;
        Console.WriteLine($"{name}: {outcome}");
    }
}
