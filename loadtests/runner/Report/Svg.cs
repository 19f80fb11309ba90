using System.Globalization;
using System.Net;
using System.Text;

namespace NetGo.LoadTests;

/// <summary>Draws charts.</summary>
internal static class Svg
{
    private const double Width = 680;
    private const double Left = 64;
    private const double Right = 30;
    private const double BarHeight = 20;
    private const double BarGap = 8;
    private const double LineHeight = 260;
    private const double Top = 14;
    private const double Bottom = 42;
    private const double BarLabel = 150;

    public static string Draw(Chart chart) => chart switch
    {
        BarChart bars => Draw(bars),
        LineChart lines => Draw(lines),
        _ => throw new ArgumentException($"no drawing of {chart.GetType().Name}", nameof(chart)),
    };

    private static string Draw(BarChart chart)
    {
        double height = (chart.Bars.Count * (BarHeight + BarGap)) + BarGap;
        double most = Math.Max(chart.Bars.Max(static b => b.Value), double.Epsilon);
        var svg = Begin(chart.Title, height);
        double y = BarGap;
        foreach ((string name, double value) in chart.Bars)
        {
            double length = (Width - BarLabel - 110) * value / most;
            string text = $"{value.ToString(value < 100 ? "F2" : "N0", CultureInfo.InvariantCulture)} {chart.Unit}";
            svg.Append(Invariant($"<text x='{BarLabel - 8}' y='{y + 15}' text-anchor='end'>{Escape(name)}</text>"));
            svg.Append(Invariant($"<rect class='s{Colour(name)} bar' x='{BarLabel}' y='{y}' width='{length:F1}' height='{BarHeight}' rx='2'><title>{Escape(name)}: {text}</title></rect>"));
            svg.Append(Invariant($"<text x='{BarLabel + length + 6:F1}' y='{y + 15}'>{text}</text>"));
            y += BarHeight + BarGap;
        }
        return svg.Append("</svg>").ToString();
    }

    private static string Draw(LineChart chart)
    {
        double[] values = [.. chart.Lines.SelectMany(static l => l.Points).Select(static p => p.Y).Where(y => !chart.IsLogarithmic || y > 0)];
        if (values.Length == 0)
            return "";
        double least = chart.IsLogarithmic ? Math.Floor(Math.Log10(values.Min())) : 0;
        double most = chart.IsLogarithmic ? Math.Max(least + 1, Math.Ceiling(Math.Log10(values.Max()))) : Rounded(Math.Max(values.Max(), 1e-9));
        double right = Math.Max(chart.Ticks[^1].At, chart.Lines.SelectMany(static l => l.Points).Max(static p => p.X));
        right = right <= 0 ? 1 : right;
        double X(double x) => Left + ((Width - Left - Right) * x / right);
        double Y(double y)
        {
            double part = ((chart.IsLogarithmic ? Math.Log10(Math.Max(y, Math.Pow(10, least))) : y) - least) / (most - least);
            return LineHeight - Bottom - ((LineHeight - Bottom - Top) * part);
        }

        int rows = (chart.Lines.Count + 3) / 4;
        var svg = Begin(chart.Title, LineHeight + (rows * 18));
        double unit = chart.IsLogarithmic ? 1 : (most - least) / 4;
        for (double tick = least; tick <= most + (unit / 1000); tick += unit)
        {
            double value = chart.IsLogarithmic ? Math.Pow(10, tick) : tick;
            svg.Append(Invariant($"<line class='grid' x1='{Left}' x2='{Width - Right}' y1='{Y(value):F1}' y2='{Y(value):F1}'/>"));
            svg.Append(Invariant($"<text x='{Left - 6}' y='{Y(value) + 4:F1}' text-anchor='end'>{value:G4}</text>"));
        }
        svg.Append(Invariant($"<text x='4' y='{Top - 3}'>{Escape(chart.VerticalTitle)}</text>"));
        foreach ((double at, string text) in chart.Ticks)
        {
            svg.Append(Invariant($"<line class='grid' x1='{X(at):F1}' x2='{X(at):F1}' y1='{Top}' y2='{LineHeight - Bottom}'/>"));
            svg.Append(Invariant($"<text x='{X(at):F1}' y='{LineHeight - Bottom + 16}' text-anchor='middle'>{Escape(text)}</text>"));
        }
        svg.Append(Invariant($"<text x='{Width - Right}' y='{LineHeight - 8}' text-anchor='end'>{Escape(chart.HorizontalTitle)}</text>"));
        for (int i = 0; i < chart.Lines.Count; i++)
        {
            (string name, IReadOnlyList<(double X, double Y)> points) = chart.Lines[i];
            string style = $"s{Colour(name)}{(name.Contains(", ", StringComparison.Ordinal) ? " dashed" : "")}";
            string path = string.Join(' ', points.Select(p => Invariant($"{X(p.X):F1},{Y(p.Y):F1}")));
            if (points.Count == 1)
                path = $"{path} {path}"; // a line of no length, which has round ends
            svg.Append(Invariant($"<polyline class='{style} line' points='{path}'><title>{Escape(name)}</title></polyline>"));
            double keyX = 8 + (i % 4 * 168);
            double keyY = LineHeight + (i / 4 * 18) + 6;
            svg.Append(Invariant($"<line class='{style} line' x1='{keyX}' x2='{keyX + 22}' y1='{keyY}' y2='{keyY}'/>"));
            svg.Append(Invariant($"<text x='{keyX + 27}' y='{keyY + 4}'>{Escape(name.Length > 24 ? name[..23] + "…" : name)}</text>"));
        }
        return svg.Append("</svg>").ToString();
    }

    /// <summary>The number of a target's colour: the same in every chart.</summary>
    private static int Colour(string name) => name.Split(',')[0] switch
    {
        "netgo" or "private" or "p50" or "descriptors" or "CPU" or "others" => 1,
        "aspnet" or "resident" or "p99" or "goroutines" => 2,
        "aspnet-netpoll" => 3,
        "go" => 4,
        "nginx" => 5,
        "h2o" => 6,
        "haproxy" => 7,
        "floor" => 0,
        _ => 8,
    };

    // The next of 1, 2, 4, 5, 8, 10 and so on, which divides by four well enough.
    private static double Rounded(double most)
    {
        double unit = Math.Pow(10, Math.Floor(Math.Log10(most)));
        foreach (double step in (double[])[1, 2, 4, 8])
        {
            if (most <= step * unit)
                return step * unit;
        }
        return 10 * unit;
    }

    private static StringBuilder Begin(string title, double height) => new StringBuilder()
        .Append(Invariant($"<svg role='img' aria-label='{Escape(title)}' viewBox='0 0 {Width} {height}' xmlns='http://www.w3.org/2000/svg'>"));

    private static string Escape(string text) => WebUtility.HtmlEncode(text);

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
