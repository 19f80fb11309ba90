using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace NetGo.LoadTests;

/// <summary>The report as one page that needs nothing else: tables and charts, for light and dark screens.</summary>
internal static partial class HtmlReport
{
    private const string Style = """
        :root { color-scheme: light dark; --fg: #1c1e21; --bg: #fff; --muted: #5b6168; --grid: #d9dce0; --card: #f6f7f8;
          --c0: #8a8f96; --c1: #0072b2; --c2: #d55e00; --c3: #b07d00; --c4: #009e73; --c5: #56a8d6; --c6: #c0568f; --c7: #7a5c2e; --c8: #555; }
        @media (prefers-color-scheme: dark) { :root { --fg: #e4e6e9; --bg: #15171a; --muted: #a2a8b0; --grid: #363b42; --card: #1e2126;
          --c0: #9aa0a8; --c1: #4aa8e0; --c2: #f07f30; --c3: #e0b030; --c4: #30c79c; --c5: #9fd4f5; --c6: #e58bba; --c7: #c09a60; --c8: #bbb; } }
        body { font: 15px/1.5 system-ui, sans-serif; color: var(--fg); background: var(--bg); margin: 0 auto; max-width: 1480px; padding: 1rem 1.5rem 4rem; }
        h1 { font-size: 1.7rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--grid); } h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
        p { max-width: 75rem; } code { background: var(--card); padding: .1em .3em; border-radius: 3px; }
        nav a { margin-right: .9em; } a { color: var(--c1); }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
        th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap; } th:first-child, td:first-child { text-align: left; }
        td.worse { color: var(--c2); font-weight: 600; }
        .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 560px), 1fr)); gap: 1rem; margin-top: 1rem; }
        figure { margin: 0; background: var(--card); border-radius: 6px; padding: .7rem; } figcaption { font-weight: 600; margin-bottom: .3rem; }
        svg { width: 100%; height: auto; } svg text { fill: var(--fg); font: 12px system-ui, sans-serif; }
        .grid { stroke: var(--grid); stroke-width: 1; } .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; } .dashed { stroke-dasharray: 6 4; }
        """;

    private const int Colours = 9;

    public static string Write(LoadResults results)
    {
        Document document = DocumentBuilder.Build(results);
        var html = new StringBuilder();
        html.Append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
            .Append("<title>").Append(Escape(document.Title)).Append("</title><style>\n").Append(Style).Append('\n');
        for (int i = 0; i < Colours; i++)
            html.Append($".s{i}.bar {{ fill: var(--c{i}); }} .s{i}.line {{ stroke: var(--c{i}); }}\n");
        html.Append("</style></head><body><main>\n<h1>").Append(Escape(document.Title)).Append("</h1>\n");
        foreach (string paragraph in document.Lead)
            html.Append("<p>").Append(Inline(paragraph)).Append("</p>\n");
        html.Append("<nav aria-label=\"Sections\">");
        for (int i = 0; i < document.Sections.Count; i++)
            html.Append($"<a href=\"#s{i}\">{Escape(document.Sections[i].Title)}</a>");
        html.Append("</nav>\n");
        for (int i = 0; i < document.Sections.Count; i++)
        {
            Section section = document.Sections[i];
            html.Append($"<section aria-labelledby=\"s{i}\"><h2 id=\"s{i}\">{Escape(section.Title)}</h2>\n");
            if (section.Text.Length > 0)
                html.Append("<p>").Append(Inline(section.Text)).Append("</p>\n");
            foreach (Table table in section.Tables)
                Write(html, table);
            if (section.Charts.Count > 0)
            {
                html.Append("<div class=\"charts\">\n");
                foreach (Chart chart in section.Charts)
                    html.Append("<figure><figcaption>").Append(Escape(chart.Title)).Append("</figcaption>").Append(Svg.Draw(chart)).Append("</figure>\n");
                html.Append("</div>\n");
            }
            html.Append("</section>\n");
        }
        return html.Append("</main></body></html>\n").ToString();
    }

    private static void Write(StringBuilder html, Table table)
    {
        if (table.Title.Length > 0)
            html.Append("<h3>").Append(Escape(table.Title)).Append("</h3>\n");
        html.Append("<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>");
        foreach (string column in table.Columns)
            html.Append("<th scope=\"col\">").Append(Escape(column)).Append("</th>");
        html.Append("</tr></thead><tbody>\n");
        foreach (IReadOnlyList<string> row in table.Rows)
        {
            html.Append("<tr><th scope=\"row\">").Append(Escape(row[0])).Append("</th>");
            foreach (string cell in row.Skip(1))
                html.Append(cell.EndsWith(" !", StringComparison.Ordinal) ? "<td class=\"worse\">" : "<td>").Append(Escape(cell)).Append("</td>");
            html.Append("</tr>\n");
        }
        html.Append("</tbody></table></div>\n");
    }

    private static string Inline(string text) => Code().Replace(Escape(text), "<code>$1</code>");

    private static string Escape(string text) => WebUtility.HtmlEncode(text);

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
