using System.Globalization;
using System.Text;

namespace NetGo.Http.Tests.Routing;

/// <summary>
/// Random patterns and requests, answered by the tree and by <see cref="PatternModel"/>, which tries every pattern. Set
/// NETGO_ROUTING_SEED to repeat a run.
/// </summary>
public class RoutingTreeModelTests(ITestOutputHelper output)
{
    private static readonly string[] s_pathPatterns = [.. PatternModel.AllPathPatterns()];
    private static readonly string[] s_patternMethods = ["", "", "", "GET ", "GET ", "HEAD ", "POST ", "CONNECT "];
    private static readonly string[] s_patternHosts = ["", "", "", "h.com", "other.org"];
    private static readonly string[] s_methods = ["GET", "GET", "HEAD", "POST", "PUT", "CONNECT"];
    private static readonly string[] s_hosts = ["", "h.com", "H.com:80", "other.org", "third.net:1"];
    private static readonly string[] s_segments = ["a", "b", "c", "%61", "%62%2F", "a%2Fb", "..", ".", ""];

    [Fact]
    public void Answers_as_a_search_through_all_patterns_does()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("NETGO_ROUTING_SEED"), CultureInfo.InvariantCulture, out int given)
            ? given
            : Random.Shared.Next();
        output.WriteLine($"NETGO_ROUTING_SEED={seed}");
        var random = new Random(seed);
        var outcomes = new int[4];
        for (int run = 0; run < 150; run++)
        {
            var tree = new RoutingTree<string>();
            List<PatternModel> models = AddPatterns(random, tree, seed);
            for (int request = 0; request < 150; request++)
                outcomes[(int)CheckRequest(random, tree, models, seed)]++;
        }

        // A run in which something never happens has checked nothing of it.
        Assert.All(outcomes, count => Assert.True(count > 300, $"seed {seed}: {string.Join(' ', outcomes)}"));
    }

    private static List<PatternModel> AddPatterns(Random random, RoutingTree<string> tree, int seed)
    {
        var models = new List<PatternModel>();
        int wanted = random.Next(1, 14);
        for (int i = 0; i < wanted; i++)
        {
            string text = Pick(random, s_patternMethods) + Pick(random, s_patternHosts) + Pick(random, s_pathPatterns);
            PatternModel model = PatternModel.Of(text);
            bool conflict = models.Any(other => other.Host == model.Host && AreInConflict(model, other));
            Exception? refusal = Record.Exception(() => tree.Add(Pattern.Parse(text), text));
            Assert.True(conflict == refusal is InvalidOperationException,
                $"seed {seed}: {text} beside {string.Join(", ", models.Select(other => other.Text))}: {refusal}");
            if (!conflict)
                models.Add(model);
        }

        return models;
    }

    private static bool AreInConflict(PatternModel first, PatternModel second) =>
        PatternModel.Compare(first, second) is PatternRelation.Equivalent or PatternRelation.Overlaps;

    private static RouteOutcome CheckRequest(Random random, RoutingTree<string> tree, List<PatternModel> models, int seed)
    {
        string method = Pick(random, s_methods);
        string host = Pick(random, s_hosts);
        // Mostly clean paths, or all would be redirects.
        int segments = random.Next(4) == 0 ? s_segments.Length : s_segments.Length - 3;
        var path = new StringBuilder();
        for (int length = random.Next(1, 5); length > 0; length--)
            path.Append('/').Append(s_segments[random.Next(segments)]);
        if (random.Next(3) == 0)
            path.Append('/');

        var match = new PathMatch();
        byte[] bytes = Encoding.UTF8.GetBytes(path.ToString());
        RouteOutcome outcome = tree.Match(
            Encoding.UTF8.GetBytes(method), Encoding.UTF8.GetBytes(host), bytes, match, out string? value);

        var actual = new Answer(outcome, value, match.RedirectPath, string.Join(", ", match.AllowedMethods), Values(match, bytes));
        Answer expected = Expect(models, method, host, path.ToString());
        Assert.True(expected == actual,
            $"seed {seed}: {method} {host}{path}\n{expected}\n{actual}\n{string.Join("\n", models.Select(model => model.Text))}");
        return outcome;
    }

    private static string Values(PathMatch match, byte[] path) =>
        match.Count == 0 ? "" : string.Join(", ", match.Pattern!.WildcardNames.Order(StringComparer.Ordinal)
            .Select(name => match.TryGetValue(name, path, out string value) ? $"{name}={value}" : name));

    private static Answer Expect(List<PatternModel> models, string method, string host, string path)
    {
        string clean = method == "CONNECT" ? path : Clean(path);
        PatternModel[] forHost = [.. models.Where(model => model.MatchesHost(host))];
        PatternModel? best = Best(clean);
        if (!clean.EndsWith('/') && best?.Names(clean) != true && Best(clean + "/")?.Names(clean + "/") == true)
            return new Answer(RouteOutcome.Redirect, null, Clean(clean) + "/", "", "");
        if (clean != path)
            return new Answer(RouteOutcome.Redirect, null, clean, "", "");
        if (best is not null)
        {
            string values = string.Join(", ", best.Values(path).OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => $"{pair.Key}={pair.Value}"));
            return new Answer(RouteOutcome.Found, best.Text, null, "", values);
        }

        string[] allowed = [.. ((string[])["CONNECT", "GET", "HEAD", "POST"])
            .Where(other => forHost.Any(model => model.Matches(other, path) || (path[^1] != '/' && model.Matches(other, path + "/"))))];
        return allowed.Length == 0
            ? new Answer(RouteOutcome.NotFound, null, null, "", "")
            : new Answer(RouteOutcome.MethodNotAllowed, null, null, string.Join(", ", allowed), "");

        PatternModel? Best(string requested) => PatternModel.Best(forHost.Where(model => model.Matches(method, requested)));
    }

    private static string Clean(string path)
    {
        var kept = new List<string>();
        foreach (string segment in path.Split('/').Where(segment => segment is not ("" or ".")))
        {
            if (segment != "..")
                kept.Add(segment);
            else if (kept.Count > 0)
                kept.RemoveAt(kept.Count - 1);
        }

        return "/" + string.Join('/', kept) + (path.EndsWith('/') && kept.Count > 0 ? "/" : "");
    }

    private static string Pick(Random random, string[] choices) => choices[random.Next(choices.Length)];

    private sealed record Answer(RouteOutcome Outcome, string? Pattern, string? RedirectPath, string Allowed, string Values);
}
