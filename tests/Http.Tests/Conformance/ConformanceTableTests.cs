using System.Reflection;
using System.Text.RegularExpressions;

namespace NetGo.Http.Tests;

/// <summary>The table in docs/rfc-conformance.md names tests that there are.</summary>
public partial class ConformanceTableTests
{
    private const int Columns = 4; // section, requirement, what is done, test

    private static string[][] Rows() =>
    [
        .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "rfc-conformance.md"))
            .Where(static line => line.StartsWith('|') && !line.StartsWith("| ---", StringComparison.Ordinal)
                && !line.StartsWith("| section", StringComparison.Ordinal))
            .Select(static line => CellEnd().Split(line.Trim('|')).Select(static cell => cell.Trim()).ToArray()),
    ];

    private static HashSet<string> Tests() =>
    [
        .. typeof(ConformanceTableTests).Assembly.GetTypes()
            .SelectMany(static type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static))
            .Where(static method => method.GetCustomAttribute<FactAttribute>() is { Skip: null }) // a theory is one too
            .Select(static method => $"{method.DeclaringType!.Name}.{method.Name}"),
    ];

    [Fact]
    public void Each_row_is_whole_and_names_a_test_or_says_why_there_is_none()
    {
        string[][] rows = Rows();
        Assert.True(rows.Length > 150, $"{rows.Length} rows");
        foreach (string[] row in rows)
        {
            Assert.True(row.Length == Columns && row.All(static cell => cell.Length > 0), "Not a whole row: " + string.Join(" | ", row));
            Assert.True(NamedTest().IsMatch(row[3]) || row[3].StartsWith("n/a: ", StringComparison.Ordinal) || row[3] is "proxy",
                "Neither a test nor the reason for none: " + string.Join(" | ", row));
        }
    }

    [Fact]
    public void Each_named_test_exists()
    {
        HashSet<string> tests = Tests();
        string[] missing =
        [
            .. Rows().SelectMany(static row => NamedTest().Matches(row[^1])).Select(static match => match.Groups[1].Value)
                .Where(name => !tests.Contains(name)),
        ];
        Assert.True(missing.Length == 0, "No such tests: " + string.Join(", ", missing));
    }

    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex CellEnd();

    [GeneratedRegex(@"`(\w+\.\w+)`")]
    private static partial Regex NamedTest();
}
