using System.Globalization;
using System.Text;

namespace NetGo.Interleaving;

/// <summary>A list of decisions as text: "0*12 1 0*3" is twelve times option 0, then 1, then three times 0. Zeros at the end
/// are left out: 0 is what is decided when the list is over.</summary>
internal static class Schedule
{
    public static string Format(IReadOnlyList<int> decisions)
    {
        int end = decisions.Count;
        while (end > 0 && decisions[end - 1] == 0)
            end--;
        var text = new StringBuilder();
        for (int i = 0; i < end;)
        {
            int from = i;
            while (i < end && decisions[i] == decisions[from])
                i++;
            if (text.Length > 0)
                text.Append(' ');
            text.Append(CultureInfo.InvariantCulture, $"{decisions[from]}");
            if (i - from > 1)
                text.Append(CultureInfo.InvariantCulture, $"*{i - from}");
        }
        return text.ToString();
    }

    public static int[] Parse(string text)
    {
        var decisions = new List<int>();
        foreach (string item in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = item.Split('*');
            int times = parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 1;
            decisions.AddRange(Enumerable.Repeat(int.Parse(parts[0], CultureInfo.InvariantCulture), times));
        }
        return [.. decisions];
    }
}
