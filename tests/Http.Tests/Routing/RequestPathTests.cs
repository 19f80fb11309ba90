using System.Text;

namespace NetGo.Http.Tests.Routing;

public class RequestPathTests
{
    [Theory]
    [InlineData("", "/")]
    [InlineData("/", "/")]
    [InlineData("a", "/a")]
    [InlineData("a/", "/a/")]
    [InlineData("/a/b", "/a/b")]
    [InlineData("/a/b/", "/a/b/")]
    [InlineData("//", "/")]
    [InlineData("/a//b", "/a/b")]
    [InlineData("///a///", "/a/")]
    [InlineData("/.", "/")]
    [InlineData("/..", "/")]
    [InlineData("/../../a", "/a")]
    [InlineData("/a/.", "/a")]
    [InlineData("/a/./", "/a/")]
    [InlineData("/a/..", "/")]
    [InlineData("/a/b/..", "/a")]
    [InlineData("/a/b/../", "/a/")]
    [InlineData("/a/../b", "/b")]
    [InlineData("/a/b/../../../c", "/c")]
    [InlineData("/...", "/...")]
    [InlineData("/.a/..b/c./d../.", "/.a/..b/c./d..")]
    [InlineData("/a/%2E%2E/b", "/a/%2E%2E/b")]
    [InlineData("*", "/*")]
    public void Cleans_as_net_http_does(string path, string clean)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(path);

        Assert.Equal(clean, Encoding.UTF8.GetString(RequestPath.Clean(bytes)));
        Assert.Equal(path == clean, RequestPath.IsClean(bytes));
    }

    [Fact]
    public void IsClean_tells_whether_Clean_would_change_anything_for_every_short_path()
    {
        const string Alphabet = "/.a";
        foreach (int length in Enumerable.Range(0, 8))
        {
            for (int number = 0; number < Math.Pow(Alphabet.Length, length); number++)
            {
                var path = new byte[length];
                for (int i = 0, rest = number; i < length; i++, rest /= Alphabet.Length)
                    path[i] = (byte)Alphabet[rest % Alphabet.Length];
                byte[] clean = RequestPath.Clean(path);

                Assert.Equal(path.AsSpan().SequenceEqual(clean), RequestPath.IsClean(path));
                Assert.True(RequestPath.IsClean(clean));
            }
        }
    }
}
