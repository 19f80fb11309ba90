using System.Text;

namespace NetGo.Http.Tests.Routing;

public class HostNameTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("example.com", "example.com")]
    [InlineData("example.com:80", "example.com")]
    [InlineData("example.com:", "example.com")]
    [InlineData(":80", "")]
    [InlineData("127.0.0.1:8080", "127.0.0.1")]
    [InlineData("[::1]", "[::1]")]
    [InlineData("[::1]:80", "[::1]")]
    [InlineData("::1", "::1")]
    [InlineData("a:b:80", "a:b:80")]
    [InlineData("[::1", "[::1")]
    public void Strips_the_port(string host, string name) =>
        Assert.Equal(name, Encoding.ASCII.GetString(HostName.StripPort(Encoding.ASCII.GetBytes(host))));
}
