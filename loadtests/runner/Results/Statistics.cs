namespace NetGo.LoadTests;

/// <summary>Medians, and ratios within a slice.</summary>
internal static class Statistics
{
    public static double Median(IEnumerable<double> values) => Quantile(values, 0.5);

    /// <summary>Between the two values next to it, as far as it lies.</summary>
    /// <returns>NaN when there is no value.</returns>
    public static double Quantile(IEnumerable<double> values, double part)
    {
        double[] sorted = [.. values.Order()];
        if (sorted.Length == 0)
            return double.NaN;
        double place = part * (sorted.Length - 1);
        int below = (int)place;
        return below + 1 < sorted.Length ? sorted[below] + ((place - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
    }

    /// <summary>The median ratio of a target's figure to another's in the same slice, with its quartiles.</summary>
    /// <returns>None when they were in no slice together.</returns>
    public static Ratio? RatioOf(IEnumerable<Slice> slices, string target, string to, Func<Slice, double> figure)
    {
        Slice[] all = [.. slices];
        Dictionary<int, double> bases = all.Where(s => s.Target == to).ToDictionary(static s => s.Number, figure);
        double[] ratios = [.. all.Where(s => s.Target == target && bases.ContainsKey(s.Number)).Select(s => figure(s) / bases[s.Number])];
        return ratios.Length == 0 ? null : new Ratio(Median(ratios), Quantile(ratios, 0.25), Quantile(ratios, 0.75));
    }
}

/// <summary>A median with its quartiles.</summary>
internal sealed record Ratio(double Median, double Low, double High);
