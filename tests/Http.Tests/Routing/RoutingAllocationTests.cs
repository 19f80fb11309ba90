using System.Text;

namespace NetGo.Http.Tests.Routing;

public class RoutingAllocationTests
{
    [Theory]
    [InlineData("GET", "", "/plaintext", nameof(RouteOutcome.Found))]
    [InlineData("HEAD", "h.com:80", "/plaintext", nameof(RouteOutcome.Found))]
    [InlineData("GET", "H.com", "/here", nameof(RouteOutcome.Found))]
    [InlineData("GET", "", "/users/17", nameof(RouteOutcome.Found))]
    [InlineData("GET", "", "/users/17/posts/a%2Fb", nameof(RouteOutcome.Found))]
    [InlineData("GET", "", "/%75sers/17/p%6Fsts/18", nameof(RouteOutcome.Found))]
    [InlineData("GET", "", "/files/a/b/c/d", nameof(RouteOutcome.Found))]
    [InlineData("GET", "", "/files/", nameof(RouteOutcome.Found))]
    [InlineData("CONNECT", "", "/files//x", nameof(RouteOutcome.Found))]
    [InlineData("GET", "", "/nothing/of/the/kind", nameof(RouteOutcome.NotFound))]
    [InlineData("GET", "", "/%6Eothing", nameof(RouteOutcome.NotFound))]
    public void A_match_allocates_nothing(string method, string host, string path, string outcome)
    {
        var tree = new RoutingTree<string>();
        foreach (string pattern in (string[])
            ["/plaintext", "h.com/here", "GET /users/{id}", "/users/{id}/posts/{post}", "/files/{path...}", "POST /other/"])
            tree.Add(Pattern.Parse(pattern), pattern);
        byte[] methodBytes = Encoding.ASCII.GetBytes(method);
        byte[] hostBytes = Encoding.ASCII.GetBytes(host);
        byte[] pathBytes = Encoding.ASCII.GetBytes(path);
        var match = new PathMatch();
        Assert.Equal(outcome, tree.Match(methodBytes, hostBytes, pathBytes, match, out _).ToString());

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            tree.Match(methodBytes, hostBytes, pathBytes, match, out _);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(0, allocated);
    }

    [Fact]
    public void To_ask_where_a_value_stands_allocates_nothing()
    {
        var tree = new RoutingTree<string>();
        tree.Add(Pattern.Parse("/users/{id}/{rest...}"), "");
        var match = new PathMatch();
        tree.Match("GET"u8, default, "/users/17/a/b"u8, match, out _);

        long before = GC.GetAllocatedBytesForCurrentThread();
        bool found = match.TryGetRange("rest", out int start, out int length);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.True(found);
        Assert.Equal((10, 3), (start, length));
        Assert.Equal(0, allocated);
    }
}
