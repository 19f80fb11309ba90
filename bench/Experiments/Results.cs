using System.Globalization;
using System.Text;

namespace Experiments;

/// <summary>What was measured of each variant, by its columns; printed as a Markdown table of medians with quartiles.</summary>
internal sealed class Results(string title, string what, params string[] columns)
{
    private readonly List<(string Variant, List<double>[] Values)> _rows = [];

    /// <summary>Adds a slice.</summary>
    /// <param name="variant">The row's name.</param>
    /// <param name="values">One for each column; NaN where there is none.</param>
    public void Add(string variant, params double[] values)
    {
        if (values.Length != columns.Length)
            throw new ArgumentException($"{values.Length} values for {columns.Length} columns.", nameof(values));
        List<double>[]? row = _rows.Find(r => r.Variant == variant).Values;
        if (row is null)
        {
            row = [.. columns.Select(static _ => new List<double>())];
            _rows.Add((variant, row));
        }
        for (int i = 0; i < values.Length; i++)
        {
            if (!double.IsNaN(values[i]))
                row[i].Add(values[i]);
        }
    }

    public void Print(IEnumerable<string>? order = null)
    {
        int slices = _rows.Max(static r => r.Values.Max(static v => v.Count));
        Console.WriteLine();
        Console.WriteLine($"{title} ({slices} slice{(slices == 1 ? "" : "s")} of each)");
        Console.WriteLine();
        Console.WriteLine($"| {what} | {string.Join(" | ", columns)} |");
        Console.WriteLine($"|{string.Concat(Enumerable.Repeat(" --- |", columns.Length + 1))}");
        string[] names = order?.ToArray() ?? [.. _rows.Select(static r => r.Variant)];
        foreach (string name in names)
        {
            if (_rows.Find(r => r.Variant == name).Values is { } values)
                Console.WriteLine($"| {name} | {string.Join(" | ", values.Select(Describe))} |");
        }
    }

    private static string Describe(List<double> values)
    {
        if (values.Count == 0)
            return "-";
        double[] sorted = [.. values.Order()];
        var text = new StringBuilder(Text(Quantile(sorted, 0.5)));
        if (sorted.Length > 2 && sorted[0] != sorted[^1])
            text.Append(CultureInfo.InvariantCulture, $" ({Text(Quantile(sorted, 0.25))}-{Text(Quantile(sorted, 0.75))})");
        return text.ToString();
    }

    private static string Text(double value) =>
        value.ToString(Math.Abs(value) switch { >= 1000 => "#,##0", >= 100 => "0", >= 10 => "0.0", 0 => "0", _ => "0.00" }, CultureInfo.InvariantCulture);

    /// <summary>Between the two that are nearest, by their distance.</summary>
    public static double Quantile(ReadOnlySpan<double> sorted, double part)
    {
        double place = part * (sorted.Length - 1);
        int below = (int)place;
        return below + 1 < sorted.Length ? sorted[below] + ((place - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
    }
}
