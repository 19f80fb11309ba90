namespace NetGo.Http.Tests.Routing;

public class PatternComparisonTests
{
    private static readonly string[] s_methods = ["", "GET ", "HEAD ", "POST "];

    [Theory]
    [InlineData("/a", "/a", PatternRelation.Equivalent)]
    [InlineData("/{x}", "/{y}", PatternRelation.Equivalent)]
    [InlineData("/a/", "/a/{rest...}", PatternRelation.Equivalent)]
    [InlineData("/a/{$}", "/a/{$}", PatternRelation.Equivalent)]
    [InlineData("/a%62", "/ab", PatternRelation.Equivalent)]
    [InlineData("/a", "/b", PatternRelation.Disjoint)]
    [InlineData("/a", "/a/", PatternRelation.Disjoint)]
    [InlineData("/a/{x}", "/a/{$}", PatternRelation.Disjoint)]
    [InlineData("/a/{x}", "/a/{x}/b", PatternRelation.Disjoint)]
    [InlineData("/a%2Fb", "/a/b", PatternRelation.Disjoint)]
    [InlineData("GET /", "POST /", PatternRelation.Disjoint)]
    [InlineData("/a", "/", PatternRelation.MoreSpecific)]
    [InlineData("/a", "/{x}", PatternRelation.MoreSpecific)]
    [InlineData("/{x}", "/{x...}", PatternRelation.MoreSpecific)]
    [InlineData("/{$}", "/", PatternRelation.MoreSpecific)]
    [InlineData("/a/b/", "/a/", PatternRelation.MoreSpecific)]
    [InlineData("/a/{x}/c/", "/a/", PatternRelation.MoreSpecific)]
    [InlineData("GET /", "/", PatternRelation.MoreSpecific)]
    [InlineData("HEAD /", "GET /", PatternRelation.MoreSpecific)]
    [InlineData("HEAD /a", "GET /{x}", PatternRelation.MoreSpecific)]
    [InlineData("/posts/{id}", "/{resource}/latest", PatternRelation.Overlaps)]
    [InlineData("/a/{x}/", "/{y}/b/", PatternRelation.Overlaps)]
    [InlineData("/{x}/{$}", "/a/", PatternRelation.Overlaps)]
    [InlineData("GET /", "/a", PatternRelation.Overlaps)]
    [InlineData("HEAD /", "GET /a", PatternRelation.Overlaps)]
    public void Compares(string first, string second, object relation)
    {
        Assert.Equal(relation, Compare(first, second));
        Assert.Equal(Mirror((PatternRelation)relation), Compare(second, first));
    }

    [Fact]
    public void Compares_as_the_sets_of_requests_do_for_every_pair_of_small_patterns()
    {
        string[] paths = [.. PatternModel.AllPathPatterns()];
        Pattern[] patterns = [.. s_methods.SelectMany(_ => paths, (method, path) => Pattern.Parse(method + path))];
        PatternModel[] models = [.. patterns.Select(pattern => PatternModel.Of(pattern.Text))];

        for (int i = 0; i < patterns.Length; i++)
        {
            for (int j = 0; j < patterns.Length; j++)
            {
                PatternRelation expected = PatternModel.Compare(models[i], models[j]);
                PatternRelation actual = PatternComparison.CompareMethodsAndPaths(patterns[i], patterns[j]);
                Assert.True(expected == actual, $"{patterns[i]} and {patterns[j]}: {actual}, expected {expected}");
                bool conflict = expected is PatternRelation.Equivalent or PatternRelation.Overlaps;
                Assert.Equal(conflict, PatternComparison.Conflict(patterns[i], patterns[j]));
            }
        }
    }

    [Fact]
    public void Examples_of_a_conflict_are_true_for_every_pair_of_small_patterns()
    {
        string[] paths = [.. PatternModel.AllPathPatterns()];
        // Every fifth of them, to keep this short; five divides neither list, so all methods and endings are in it.
        Pattern[] patterns = [.. s_methods.SelectMany(_ => paths, (method, path) => Pattern.Parse(method + path))
            .Where((_, index) => index % 5 == 0)];

        foreach (Pattern first in patterns)
        {
            foreach (Pattern second in patterns.Where(second => PatternComparison.Conflict(first, second)))
            {
                AssertMatches(PatternConflict.ExampleOfBoth(first, second), first, second);
                if (PatternComparison.CompareMethodsAndPaths(first, second) == PatternRelation.Overlaps)
                    AssertMatches(PatternConflict.ExampleOfFirstOnly(first, second), first, null, but: second);
            }
        }
    }

    [Theory]
    [InlineData("example.com/a", "/a")]
    [InlineData("example.com/", "/a")]
    [InlineData("example.com/a", "example.org/a")]
    [InlineData("GET example.com/posts/{id}", "/{resource}/latest")]
    public void Patterns_of_different_hosts_never_conflict(string first, string second)
    {
        Assert.False(PatternComparison.Conflict(Pattern.Parse(first), Pattern.Parse(second)));
        Assert.False(PatternComparison.Conflict(Pattern.Parse(second), Pattern.Parse(first)));
    }

    [Fact]
    public void Hosts_that_differ_in_case_are_one_host() =>
        Assert.True(PatternComparison.Conflict(Pattern.Parse("EXAMPLE.com/a"), Pattern.Parse("example.COM/a")));

    [Fact]
    public void A_conflict_is_explained_by_examples()
    {
        string message = Describe("/posts/{id}", "/{resource}/latest");

        Assert.Contains("\"/posts/{id}\" conflicts with \"/{resource}/latest\"", message, StringComparison.Ordinal);
        Assert.Contains("both match GET /posts/latest", message, StringComparison.Ordinal);
        Assert.Contains("only \"/posts/{id}\" matches GET /posts/x", message, StringComparison.Ordinal);
        Assert.Contains("only \"/{resource}/latest\" matches GET /x/latest", message, StringComparison.Ordinal);

        message = Describe("GET h.com/", "h.com/index.html");
        Assert.Contains("both match GET h.com/index.html", message, StringComparison.Ordinal);
        Assert.Contains("only \"GET h.com/\" matches GET h.com/", message, StringComparison.Ordinal);
        Assert.Contains("only \"h.com/index.html\" matches POST h.com/index.html", message, StringComparison.Ordinal);

        Assert.Contains("only \"/{a}/b\" matches GET /y/b", Describe("/{a}/b", "/x/{c}"), StringComparison.Ordinal);

        Assert.Contains("the same requests, such as DELETE /a/x%2Fy.", Describe("DELETE /a/x%2fy", "DELETE /a/x%2Fy"),
            StringComparison.Ordinal);
    }

    private static string Describe(string added, string present) =>
        PatternConflict.Describe(Pattern.Parse(added), Pattern.Parse(present));

    private static PatternRelation Compare(string first, string second) =>
        PatternComparison.CompareMethodsAndPaths(Pattern.Parse(first), Pattern.Parse(second));

    private static PatternRelation Mirror(PatternRelation relation) => relation switch
    {
        PatternRelation.MoreGeneral => PatternRelation.MoreSpecific,
        PatternRelation.MoreSpecific => PatternRelation.MoreGeneral,
        _ => relation,
    };

    private static void AssertMatches(string request, Pattern first, Pattern? second, Pattern? but = null)
    {
        string[] parts = request.Split(' ');
        Assert.True(PatternModel.Of(first.Text).Matches(parts[0], parts[1]), $"{request} is not for {first}");
        if (second is not null)
            Assert.True(PatternModel.Of(second.Text).Matches(parts[0], parts[1]), $"{request} is not for {second}");
        if (but is not null)
            Assert.False(PatternModel.Of(but.Text).Matches(parts[0], parts[1]), $"{request} is for {but} too");
    }
}
