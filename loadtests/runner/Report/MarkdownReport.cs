using System.Text;

namespace NetGo.LoadTests;

/// <summary>The report as Markdown: its tables.</summary>
internal static class MarkdownReport
{
    public static string Write(LoadResults results)
    {
        Document document = DocumentBuilder.Build(results);
        var text = new StringBuilder();
        text.Append("# ").Append(document.Title).Append('\n');
        foreach (string paragraph in document.Lead)
            text.Append('\n').Append(paragraph).Append('\n');
        foreach (Section section in document.Sections)
        {
            text.Append("\n## ").Append(section.Title).Append('\n');
            if (section.Text.Length > 0)
                text.Append('\n').Append(section.Text).Append('\n');
            foreach (Table table in section.Tables)
                Write(text, table);
        }
        return text.ToString();
    }

    private static void Write(StringBuilder text, Table table)
    {
        if (table.Title.Length > 0)
            text.Append("\n### ").Append(table.Title).Append('\n');
        text.Append('\n');
        Row(text, table.Columns);
        text.Append("| --- ").Append(string.Concat(Enumerable.Repeat("| ---: ", table.Columns.Count - 1))).Append("|\n");
        foreach (IReadOnlyList<string> row in table.Rows)
            Row(text, row);
    }

    private static void Row(StringBuilder text, IReadOnlyList<string> cells)
    {
        foreach (string cell in cells)
            text.Append("| ").Append(cell.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ")).Append(' ');
        text.Append("|\n");
    }
}
