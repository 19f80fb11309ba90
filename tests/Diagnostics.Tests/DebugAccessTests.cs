using System.Net;
using System.Net.Sockets;

namespace NetGo.Diagnostics.Tests;

public sealed class DebugAccessTests
{
    [Theory]
    [InlineData("127.0.0.1", "localhost:8080")]
    [InlineData("127.9.9.9", "127.0.0.1")]
    [InlineData("::1", "[::1]:8080")]
    [InlineData("::ffff:127.0.0.1", "LOCALHOST")]
    [InlineData("127.0.0.1", "localhost:8080", "Origin", "http://localhost:8080")]
    [InlineData("127.0.0.1", "localhost:8080", "Sec-Fetch-Site", "none")]
    [InlineData("127.0.0.1", "localhost:8080", "Sec-Fetch-Site", "same-origin")]
    public void Who_is_on_this_machine_is_let_in(string remote, string host, string? field = null, string? value = null) =>
        Assert.Null(DebugAccess.Refuses(new FakeRequest(remote, host, field, value)));

    [Theory]
    [InlineData("192.0.2.1", "localhost")] // not on this machine
    [InlineData("::ffff:192.0.2.1", "localhost")]
    [InlineData(null, "localhost")]
    [InlineData("127.0.0.1", "example.com")] // a name that leads here: DNS rebinding
    [InlineData("127.0.0.1", "localhost.example.com")]
    [InlineData("127.0.0.1", "192.0.2.1")]
    [InlineData("127.0.0.1", "")]
    [InlineData("127.0.0.1", "[")]
    [InlineData("127.0.0.1", "localhost", "Origin", "http://example.com")] // pages of others
    [InlineData("127.0.0.1", "localhost:80", "Origin", "http://localhost:8080")]
    [InlineData("127.0.0.1", "localhost", "Origin", "null")]
    [InlineData("127.0.0.1", "localhost", "Sec-Fetch-Site", "cross-site")]
    [InlineData("127.0.0.1", "localhost", "Sec-Fetch-Site", "same-site")]
    [InlineData("127.0.0.1", "localhost", "X-Forwarded-For", "192.0.2.1")] // for somebody else
    [InlineData("127.0.0.1", "localhost", "Forwarded", "for=192.0.2.1")]
    [InlineData("127.0.0.1", "localhost", "Via", "1.1 proxy")]
    [InlineData("127.0.0.1", "localhost", "X-Original-For", "192.0.2.1:1234")] // who has been believed to come from here
    [InlineData("/run/app.sock", "localhost")]
    public void Others_are_not(string? remote, string host, string? field = null, string? value = null) =>
        Assert.NotNull(DebugAccess.Refuses(new FakeRequest(remote, host, field, value)));

    private sealed class FakeRequest(string? remote, string host, string? field, string? value) : DebugRequest
    {
        public override string Method => "GET";

        public override string Path => "/debug/pprof/";

        public override EndPoint? RemoteEndPoint => remote switch
        {
            null => null,
            ['/', ..] => new UnixDomainSocketEndPoint(remote),
            _ => new IPEndPoint(IPAddress.Parse(remote), 1234),
        };

        public override string Host => host;

        public override CancellationToken Aborted => CancellationToken.None;

        public override string? HeaderOf(string name) => name == field ? value : null;

        public override string? QueryOf(string name) => null;
    }
}
