using System.Text.RegularExpressions;

namespace NetGo.Scheduler.Tests;

/// <summary>What the documents show is what examples/Concurrency runs. A block of C# stands under a line
/// <c>&lt;!-- snippet: NAME --&gt;</c>; it is the text between <c>// snippet: NAME</c> and <c>// end</c> in the example's sources, but
/// for the indentation. Several regions of one name are one snippet, with an empty line between them.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string s_root = FindRoot();

    // Published for Windows they lie anywhere.
    public DocumentationTests() =>
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The documents are the same on all systems; the tests must lie below them to find them.");

    [GeneratedRegex("(?:<!-- snippet: (?<name>[a-z-]+) -->\n)?```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex("^ *// snippet: (?<name>[a-z-]+)\n(?<code>.*?)^ *// end$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Region();

    private static string FindRoot()
    {
        DirectoryInfo directory = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "NetGo.sln")))
            directory = directory.Parent ?? throw new DirectoryNotFoundException("The tests must lie below NetGo.sln.");
        return directory.FullName;
    }

    private static string Read(params string[] path) => File.ReadAllText(Path.Combine([s_root, .. path]));

    private static Dictionary<string, string> Snippets() => Directory
        .EnumerateFiles(Path.Combine(s_root, "examples", "Concurrency"), "*.cs")
        .SelectMany(static file => Region().Matches(File.ReadAllText(file)))
        .GroupBy(static region => region.Groups["name"].Value, static region => Dedent(region.Groups["code"].Value))
        .ToDictionary(static group => group.Key, static group => string.Join('\n', group));

    private static string Dedent(string code)
    {
        string[] lines = code.Split('\n');
        int indent = lines.Where(static line => line.Length > 0).Min(static line => line.Length - line.TrimStart(' ').Length);
        return string.Join('\n', lines.Select(line => line.Length == 0 ? line : line[indent..]));
    }

    [Fact]
    public void Every_block_of_the_guide_is_a_snippet_of_the_example()
    {
        Dictionary<string, string> snippets = Snippets();
        MatchCollection blocks = CodeBlock().Matches(Read("docs", "concurrency.md"));
        Assert.NotEmpty(blocks);
        Assert.All(blocks, block =>
        {
            Assert.True(block.Groups["name"].Success, $"No <!-- snippet: NAME --> above:\n{block.Groups["code"].Value}");
            Assert.Equal(snippets[block.Groups["name"].Value], block.Groups["code"].Value);
        });
    }

    [Fact]
    public void The_goroutines_of_the_readme_are_a_snippet_of_the_example()
    {
        Match block = Assert.Single(CodeBlock().Matches(Read("README.md")), static match => match.Groups["name"].Success);
        Assert.Equal(Snippets()[block.Groups["name"].Value], block.Groups["code"].Value);
    }

    [Fact]
    public void Every_snippet_is_shown_and_run()
    {
        string documents = Read("docs", "concurrency.md") + Read("README.md");
        string program = Read("examples", "Concurrency", "Program.cs");
        Assert.All(Snippets().Keys, name =>
        {
            Assert.Contains($"<!-- snippet: {name} -->", documents, StringComparison.Ordinal);
            Assert.Contains($"RunAsync(\"{name}\",", program, StringComparison.Ordinal);
        });
    }
}
