using System.Text.RegularExpressions;

namespace NetGo.Scheduler.Tests;

/// <summary>What the guides show is what their examples run. A block of C# stands under a line
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

    private static Dictionary<string, string> Snippets(string example) => Directory
        .EnumerateFiles(Path.Combine(s_root, "examples", example), "*.cs")
        .SelectMany(static file => Region().Matches(File.ReadAllText(file)))
        .GroupBy(static region => region.Groups["name"].Value, static region => Dedent(region.Groups["code"].Value))
        .ToDictionary(static group => group.Key, static group => string.Join('\n', group));

    private static string Dedent(string code)
    {
        string[] lines = code.Split('\n');
        int indent = lines.Where(static line => line.Length > 0).Min(static line => line.Length - line.TrimStart(' ').Length);
        return string.Join('\n', lines.Select(line => line.Length == 0 ? line : line[indent..]));
    }

    [Theory]
    [InlineData("concurrency.md", "Concurrency")]
    [InlineData("sockets.md", "Sockets")]
    [InlineData("buffers.md", "Sockets")]
    [InlineData("http.md", "HttpGuide")]
    public void Every_block_of_a_guide_is_a_snippet_of_its_example(string guide, string example)
    {
        Dictionary<string, string> snippets = Snippets(example);
        MatchCollection blocks = CodeBlock().Matches(Read("docs", guide));
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
        Assert.Equal(Snippets("Concurrency")[block.Groups["name"].Value], block.Groups["code"].Value);
    }

    [Fact]
    public void The_configuration_of_the_http_guide_is_that_of_its_example() =>
        Assert.Contains($"```json\n{Read("examples", "HttpGuide", "appsettings.json")}```", Read("docs", "http.md"), StringComparison.Ordinal);

    [Theory]
    [InlineData("Concurrency", "concurrency.md")]
    [InlineData("Sockets", "sockets.md", "buffers.md")]
    [InlineData("HttpGuide", "http.md")]
    public void Every_snippet_is_shown_and_run(string example, params string[] guides)
    {
        string documents = string.Concat(guides.Select(static guide => Read("docs", guide))) + Read("README.md");
        string program = Read("examples", example, "Program.cs");
        Assert.All(Snippets(example).Keys, name =>
        {
            Assert.Contains($"<!-- snippet: {name} -->", documents, StringComparison.Ordinal);
            Assert.Contains($"Async(\"{name}\",", program, StringComparison.Ordinal);
        });
    }
}
