using System.Text;
using System.Text.RegularExpressions;

namespace NetGo.Http.Tests.Routing;

/// <summary>
/// The meaning of a pattern, written down a second time and as plainly as can be: a regular expression made of the
/// pattern's text. How two patterns compare is found by trying every request of a small universe on both: a path longer
/// than the patterns and a segment and a method that none of them names are in it, so what differs differs there.
/// </summary>
internal sealed class PatternModel
{
    private static readonly string[] s_methods = ["GET", "HEAD", "POST", "PUT", "CONNECT"];
    private static readonly string[] s_paths = [.. Paths(["a", "b", "z"], depth: 4)];
    private static readonly Dictionary<string, PatternModel> s_cache = [];

    // A slash that was escaped in a path.
    private const char EscapedSlash = '\u0001';

    private readonly Regex _path;
    private readonly Regex _pathWithoutRest;
    private readonly ulong[] _universe;

    private PatternModel(string text)
    {
        Text = text;
        Match parts = Regex.Match(text, "^((?<method>[A-Z]+) )?(?<host>[^/]*)(?<path>/.*)$");
        Method = parts.Groups["method"].Value;
        Host = parts.Groups["host"].Value;
        string path = parts.Groups["path"].Value;
        _path = ToRegex(path);
        _pathWithoutRest = ToRegex(Regex.Replace(path, @"/({\w+\.\.\.})?$", "/{$}"));
        _universe = [.. s_methods.SelectMany(method => s_paths, (method, requested) => Matches(method, requested))
            .Chunk(64).Select(chunk => chunk.Reverse().Aggregate(0UL, (bits, matches) => (bits << 1) | (matches ? 1UL : 0)))];
    }

    public string Text { get; }

    public string Method { get; }

    public string Host { get; }

    /// <summary>Every path pattern of the segments a, b and a wildcard, at most three of them, and of each ending.</summary>
    public static IEnumerable<string> AllPathPatterns() =>
        from prefix in Prefixes(["a", "b", "{}"], depth: 3)
        from ending in (string[])["", "/", "/{$}", "/{r...}"]
        where prefix.Length + ending.Length > 0
        select NameWildcards(prefix) + ending;

    public static PatternModel Of(string text)
    {
        lock (s_cache)
        {
            if (!s_cache.TryGetValue(text, out PatternModel? model))
                s_cache.Add(text, model = new PatternModel(text));
            return model;
        }
    }

    public static PatternRelation Compare(PatternModel first, PatternModel second)
    {
        bool both = false, onlyFirst = false, onlySecond = false;
        for (int i = 0; i < first._universe.Length; i++)
        {
            both |= (first._universe[i] & second._universe[i]) != 0;
            onlyFirst |= (first._universe[i] & ~second._universe[i]) != 0;
            onlySecond |= (~first._universe[i] & second._universe[i]) != 0;
        }

        return (both, onlyFirst, onlySecond) switch
        {
            (false, _, _) => PatternRelation.Disjoint,
            (_, false, false) => PatternRelation.Equivalent,
            (_, true, false) => PatternRelation.MoreGeneral,
            (_, false, true) => PatternRelation.MoreSpecific,
            _ => PatternRelation.Overlaps,
        };
    }

    public bool Matches(string method, string path) => MatchesMethod(method) && _path.IsMatch(Decode(path));

    public bool MatchesMethod(string method) => Method == "" || Method == method || (Method == "GET" && method == "HEAD");

    public bool MatchesHost(string host) =>
        Host == "" || Regex.IsMatch(host, $"^{Regex.Escape(Host)}(:[0-9]*)?$", RegexOptions.IgnoreCase);

    /// <summary>Whether the pattern names this path, and not only a part of the tree above it.</summary>
    public bool Names(string path) => _pathWithoutRest.IsMatch(Decode(path));

    public Dictionary<string, string> Values(string path)
    {
        GroupCollection groups = _path.Match(Decode(path)).Groups;
        return groups.Keys.Where(name => !char.IsDigit(name[0]))
            .ToDictionary(name => name, name => groups[name].Value.Replace(EscapedSlash, '/'));
    }

    /// <summary>Of patterns that match one request, that which goes before all the others.</summary>
    public static PatternModel? Best(IEnumerable<PatternModel> matching)
    {
        PatternModel[] all = [.. matching];
        PatternModel[] rivals = all.Any(model => model.Host != "") ? [.. all.Where(model => model.Host != "")] : all;
        return rivals.Length == 0
            ? null
            : rivals.Single(best => rivals.All(other => other == best || Compare(best, other) == PatternRelation.MoreSpecific));
    }

    private static string Decode(string path) =>
        string.Join('/', path.Split('/').Select(segment => Uri.UnescapeDataString(segment).Replace('/', EscapedSlash)));

    private static Regex ToRegex(string path)
    {
        var regex = new StringBuilder("^");
        string[] segments = path.Split('/')[1..];
        for (int i = 0; i < segments.Length; i++)
        {
            regex.Append('/');
            string name = segments[i].Trim('{', '}', '.');
            bool last = i == segments.Length - 1;
            if (last && (segments[i] == "" || segments[i].EndsWith("...}", StringComparison.Ordinal)))
                regex.Append(name == "" ? ".*" : $"(?<{name}>.*)");
            else if (segments[i].StartsWith('{') && name != "$")
                regex.Append(last ? $"(?<{name}>[^/]+)" : $"(?<{name}>[^/]*)");
            else if (name != "$")
                regex.Append(Regex.Escape(segments[i]));
        }

        return new Regex(regex.Append('$').ToString(), RegexOptions.Singleline);
    }

    private static IEnumerable<string> Paths(string[] segments, int depth) =>
        Prefixes(segments, depth).SelectMany(prefix => (string[])[prefix, prefix + "/"]).Where(path => path != "");

    private static IEnumerable<string> Prefixes(string[] segments, int depth)
    {
        IEnumerable<string> shorter = depth == 0 ? [] : Prefixes(segments, depth - 1);
        return shorter.SelectMany(_ => segments, (prefix, segment) => $"{prefix}/{segment}").Prepend("").Distinct();
    }

    private static string NameWildcards(string path)
    {
        int next = 0;
        return Regex.Replace(path, "{}", _ => $"{{w{next++}}}");
    }
}
