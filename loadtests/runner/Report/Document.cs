namespace NetGo.LoadTests;

/// <summary>A report as its parts, whatever it is written in.</summary>
internal sealed record Document(string Title, IReadOnlyList<string> Lead, IReadOnlyList<Section> Sections);

internal sealed record Section(string Title, string Text, IReadOnlyList<Table> Tables, IReadOnlyList<Chart> Charts);

/// <summary>Cells as text; the first column names the row.</summary>
internal sealed record Table(string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows);

internal abstract record Chart(string Title);

/// <summary>A bar for each target, from nought.</summary>
internal sealed record BarChart(string Title, string Unit, IReadOnlyList<(string Name, double Value)> Bars) : Chart(Title);

/// <summary>A line for each target.</summary>
/// <param name="Ticks">Of the horizontal axis, with what is written at them.</param>
/// <param name="IsLogarithmic">The vertical axis; it begins at nought when it is not.</param>
internal sealed record LineChart(
    string Title, string HorizontalTitle, string VerticalTitle, IReadOnlyList<(double At, string Text)> Ticks, bool IsLogarithmic,
    IReadOnlyList<(string Name, IReadOnlyList<(double X, double Y)> Points)> Lines) : Chart(Title);
